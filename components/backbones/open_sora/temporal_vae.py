"""Open-Sora's autoencoder along time: a chunk of spatial latents to a quarter of the frames, and back.

Legend: B samples, C channels, T frames of spatial latents, F latent frames, h, w. Convolutions look back in time alone;
normalisations take in all of a chunk, so that a chunk is what can be cut off, not a frame.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

EPSILON = 1e-5  # of the normalisations; the spatial autoencoder has 1e-6


class TemporalVAE(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """The autoencoder; its defaults are the published one's, and its tensors' names those after `temporal_vae.`."""

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        *,
        in_out_channels: int = 4,
        latent_embed_dim: int = 4,
        embed_dim: int = 4,
        filters: int = 128,
        num_res_blocks: int = 4,
        channel_multipliers: Sequence[int] = (1, 2, 2, 4),
        temporal_downsample: Sequence[bool] = (False, True, True),
        num_groups: int = 32,
    ) -> None:
        super().__init__()
        widths = [filters * factor for factor in channel_multipliers]
        halved = list(temporal_downsample)
        self.factor = 2 ** sum(halved)
        self.encoder = Encoder(
            in_out_channels,
            2 * latent_embed_dim,
            widths=widths,
            halved=halved,
            blocks=num_res_blocks,
            groups=num_groups,
        )
        self.quant_conv = CausalConv(2 * latent_embed_dim, 2 * embed_dim, 1)
        self.post_quant_conv = CausalConv(embed_dim, latent_embed_dim, 1)
        self.decoder = Decoder(
            latent_embed_dim,
            in_out_channels,
            widths=widths,
            doubled=halved,
            blocks=num_res_blocks,
            groups=num_groups,
        )

    def moments(self, latents: Tensor) -> Tensor:
        """Mean and log-variance (B,2C,F,h,w) of a chunk (B,C,T,h,w); zeros in front fill T up to whole quarters."""
        padded = F.pad(latents, (0, 0, 0, 0, -latents.shape[2] % self.factor, 0))
        moments: Tensor = self.quant_conv(self.encoder(padded))
        return moments

    def decode(self, latents: Tensor, frames: int) -> Tensor:
        """A chunk (B,C,T,h,w) of so many frames, of latents (B,C,F,h,w); what stands for the zeros is cut off."""
        decoded: Tensor = self.decoder(self.post_quant_conv(latents))
        return decoded[:, :, -frames % self.factor :]


class CausalConv(nn.Module):
    """A convolution over (B,C,T,h,w) with zeros around height and width, and before the first frame."""

    def __init__(self, channels: int, width: int, size: int, *, stride: int = 1, bias: bool = True) -> None:
        super().__init__()
        side = size // 2
        self.padding = (side, side, side, side, size - stride, 0)
        self.conv = nn.Conv3d(channels, width, size, stride=(stride, 1, 1), bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B,width,T/stride,h,w)."""
        output: Tensor = self.conv(F.pad(x, self.padding))
        return output


class ResidualBlock(nn.Module):
    """Two normalised convolutions, added to what comes in, or to its projection where the width changes."""

    def __init__(self, channels: int, width: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, channels, eps=EPSILON)
        self.conv1 = CausalConv(channels, width, 3, bias=False)
        self.norm2 = nn.GroupNorm(groups, width, eps=EPSILON)
        self.conv2 = CausalConv(width, width, 3, bias=False)
        self.conv3 = CausalConv(channels, width, 1, bias=False) if channels != width else None

    def forward(self, x: Tensor) -> Tensor:
        """(B,channels,T,h,w) to (B,width,T,h,w)."""
        inner = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        output: Tensor = inner + (x if self.conv3 is None else self.conv3(x))
        return output


class Encoder(nn.Module):
    """Stages of residual blocks, each but the last followed by a step in time of two frames or none."""

    def __init__(
        self, channels: int, output: int, *, widths: Sequence[int], halved: Sequence[bool], blocks: int, groups: int
    ) -> None:
        super().__init__()
        self.conv_in = CausalConv(channels, widths[0], 3, bias=False)
        before = [widths[0], *widths[:-1]]
        self.block_res_blocks = nn.ModuleList(
            _residual_blocks([width, *[after] * blocks], groups) for width, after in zip(before, widths, strict=True)
        )
        self.conv_blocks = nn.ModuleList(
            CausalConv(width, width, 3, stride=2) if half else nn.Identity()
            for width, half in zip(widths[:-1], halved, strict=True)
        )
        self.res_blocks = _residual_blocks([widths[-1]] * (blocks + 1), groups)
        self.norm1 = nn.GroupNorm(groups, widths[-1], eps=EPSILON)
        self.conv2 = CausalConv(widths[-1], output, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B,channels,T,h,w) to (B,output,F,h,w)."""
        x = self.conv_in(x)
        steps: list[nn.Module] = [*self.conv_blocks, nn.Identity()]
        for stage, step in zip(self.block_res_blocks, steps, strict=True):
            x = step(_through(stage, x))
        output: Tensor = self.conv2(F.silu(self.norm1(_through(self.res_blocks, x))))
        return output


class Decoder(nn.Module):
    """The encoder's stages backwards; a step in time makes two frames of one out of twice the channels."""

    def __init__(
        self, channels: int, output: int, *, widths: Sequence[int], doubled: Sequence[bool], blocks: int, groups: int
    ) -> None:
        super().__init__()
        self.conv1 = CausalConv(channels, widths[-1], 3)
        self.res_blocks = _residual_blocks([widths[-1]] * (blocks + 1), groups)
        before = [*widths[1:], widths[-1]]
        self.block_res_blocks = nn.ModuleList(
            _residual_blocks([width, *[after] * blocks], groups) for width, after in zip(before, widths, strict=True)
        )
        self.conv_blocks = nn.ModuleList(
            CausalConv(width, 2 * width, 3) if double else nn.Identity()
            for width, double in zip(widths[1:], doubled, strict=True)
        )
        self.norm1 = nn.GroupNorm(groups, widths[0], eps=EPSILON)
        self.conv_out = CausalConv(widths[0], output, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B,channels,F,h,w) to (B,output,T,h,w)."""
        x = _through(self.res_blocks, self.conv1(x))
        steps: list[nn.Module] = [nn.Identity(), *self.conv_blocks]
        for stage, step in zip(reversed(self.block_res_blocks), reversed(steps), strict=True):
            x = _through(stage, x)
            x = _interleaved(step(x)) if isinstance(step, CausalConv) else x
        output: Tensor = self.conv_out(F.silu(self.norm1(x)))
        return output


def _residual_blocks(widths: Sequence[int], groups: int) -> nn.ModuleList:
    return nn.ModuleList(ResidualBlock(before, after, groups) for before, after in pairwise(widths))


def _through(layers: nn.Module, x: Tensor) -> Tensor:
    members: Iterable[nn.Module] = layers.children()
    for layer in members:
        x = layer(x)
    return x


def _interleaved(x: Tensor) -> Tensor:
    """(B,2C,T,h,w) to (B,C,2T,h,w): a channel's two halves are two frames, one after the other."""
    halves: Tensor = x.unflatten(1, (-1, 2))
    return halves.movedim(2, 3).flatten(2, 3)
