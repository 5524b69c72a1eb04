"""Open-Sora's two-part autoencoder: an image autoencoder frame by frame, then one along time, chunk by chunk.

Legend: B samples, T frames, H, W pixels, F latent frames, h, w latent height and width; a chunk is 17 frames.
"""

from collections.abc import Callable, Sequence

import torch
from diffusers import AutoencoderKL
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from components.backbones.open_sora.schedule import CHUNK, LATENTS
from components.backbones.open_sora.temporal_vae import TemporalVAE
from components.errors import ParametersError

SHIFT, SCALE = (-0.10, 0.34, 0.27, 0.98), (3.85, 2.32, 2.33, 3.06)  # per channel, of what the transformer sees


class OpenSoraVAE(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Both parts; the defaults are the published ones, and tensors' names those of hpcai-tech/OpenSora-VAE-v1.2.

    spatial_scale: that the image autoencoder's latents are multiplied by. micro_batch_size: frames that go through the
    image autoencoder at once; no value depends on it.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        *,
        block_out_channels: Sequence[int] = (128, 256, 512, 512),
        layers_per_block: int = 2,
        norm_num_groups: int = 32,
        filters: int = 128,
        num_res_blocks: int = 4,
        channel_multipliers: Sequence[int] = (1, 2, 2, 4),
        num_groups: int = 32,
        spatial_scale: float = 0.18215,
        latents_shift: Sequence[float] = SHIFT,
        latents_scale: Sequence[float] = SCALE,
        micro_batch_size: int = 4,
    ) -> None:
        super().__init__()
        self.spatial_scale = spatial_scale
        self.micro_batch_size = micro_batch_size
        self.channels = len(latents_scale)
        self.spatial_stride = 2 ** (len(block_out_channels) - 1)
        self.spatial_vae = SpatialVAE(self.channels, block_out_channels, layers_per_block, norm_num_groups)
        self.temporal_vae = TemporalVAE(
            in_out_channels=self.channels,
            latent_embed_dim=self.channels,
            embed_dim=self.channels,
            filters=filters,
            num_res_blocks=num_res_blocks,
            channel_multipliers=channel_multipliers,
            num_groups=num_groups,
        )
        self.register_buffer("shift", torch.tensor(latents_shift).view(1, -1, 1, 1, 1))
        self.register_buffer("scale", torch.tensor(latents_scale).view(1, -1, 1, 1, 1))

    def encode(self, video: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Latents (B,C,F,h,w) of a video (B,3,T,H,W) of -1..1; F is 5 for every 17 frames, what is left over apart.

        Without a generator both parts give the mode; the released code samples both.
        """
        frames = video.movedim(2, 1).flatten(0, 1)
        image = self.spatial_vae.module
        encoded = self._frame_by_frame(lambda part: _drawn(image.encode(part).latent_dist, generator), frames)
        spatial = self.spatial_scale * encoded.unflatten(0, (len(video), -1)).movedim(1, 2)
        moments = (self.temporal_vae.moments(chunk) for chunk in spatial.split(CHUNK, 2))
        latents = torch.cat([_drawn(DiagonalGaussianDistribution(part), generator) for part in moments], 2)
        normalised: Tensor = (latents - self.shift) / self.scale
        return normalised

    def decode(self, latents: Tensor, frames: int) -> Tensor:
        """A video (B,3,T,H,W) of latents (B,C,F,h,w), which do not tell how many frames they were: T is `frames`.

        Values are about -1..1, not cut off. ParametersError when such a video has another number of latents.
        """
        self._check(latents.shape[2], frames)
        chunks = (latents * self.scale + self.shift).split(LATENTS, 2)
        counts = (min(CHUNK, frames - CHUNK * number) for number in range(len(chunks)))
        spatial = torch.cat([self.temporal_vae.decode(*part) for part in zip(chunks, counts, strict=True)], 2)
        flat = spatial.movedim(2, 1).flatten(0, 1) / self.spatial_scale
        decoded = self._frame_by_frame(lambda part: self.spatial_vae.module.decode(part).sample, flat)
        video: Tensor = decoded.unflatten(0, (len(latents), -1)).movedim(1, 2)
        return video

    def _check(self, latents: int, frames: int) -> None:
        chunks, rest = divmod(frames, CHUNK)
        expected = LATENTS * chunks + -(-rest // self.temporal_vae.factor)
        if frames < 1 or latents != expected:
            raise ParametersError(
                f"{latents} latent frames for a video of {frames} frames, expected {expected}: give the number of "
                "frames that was encoded"
            )

    def _frame_by_frame(self, call: Callable[[Tensor], Tensor], frames: Tensor) -> Tensor:
        return torch.cat([call(part) for part in frames.split(self.micro_batch_size)])


class SpatialVAE(nn.Module):
    """The image autoencoder, diffusers' own, one level down as the checkpoint has it."""

    def __init__(self, channels: int, widths: Sequence[int], layers: int, groups: int) -> None:
        super().__init__()
        self.module = AutoencoderKL(
            in_channels=3,
            out_channels=3,
            latent_channels=channels,
            block_out_channels=tuple(widths),
            down_block_types=("DownEncoderBlock2D",) * len(widths),
            up_block_types=("UpDecoderBlock2D",) * len(widths),
            layers_per_block=layers,
            norm_num_groups=groups,
        )


def _drawn(distribution: DiagonalGaussianDistribution, generator: torch.Generator | None) -> Tensor:
    values: Tensor = distribution.mode() if generator is None else distribution.sample(generator)
    return values
