"""STDiT3, the transformer of Open-Sora 1.2: blocks over space and over time take turns.

Legend: B samples, F latent frames, h, w latent height and width, S tokens of a frame, L text tokens, C width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.loaders import PeftAdapterMixin
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from components.backbones.open_sora.embeddings import RotaryFrequencies, ScalarEmbedding, position_embedding
from components.backbones.open_sora.layers import Block, FinalLayer, Mlp
from components.errors import ParametersError


@dataclass(frozen=True, kw_only=True)
class Output:
    """What comes out: sample (B,channels,F,h,w) float32, and the states (B,F,h/p,w/p,C) of the blocks asked for."""

    sample: Tensor
    taps: tuple[Tensor, ...]


class STDiT3(ModelMixin, ConfigMixin, PeftAdapterMixin):  # type: ignore[misc]
    """The network; its defaults are STDiT3-XL/2, and its tensors' names those of hpcai-tech/OpenSora-STDiT-v3.

    The first half of the output's channels is the velocity clean - noise; the second half was never trained. Times,
    rates and positions are computed in float32 whatever the weights are in.
    """

    _supports_gradient_checkpointing = True
    _no_split_modules = ("Block",)

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        *,
        in_channels: int = 4,
        patch_size: Sequence[int] = (1, 2, 2),
        hidden_size: int = 1152,
        depth: int = 28,
        num_heads: int = 16,
        mlp_ratio: float = 4.0,
        qk_norm: bool = True,
        pred_sigma: bool = True,
        caption_channels: int = 4096,
        model_max_length: int = 300,
        input_sq_size: int = 512,
    ) -> None:
        super().__init__()
        _check_shape(tuple(patch_size), hidden_size, num_heads)
        self.patch = patch_size[1]
        self.out_channels = 2 * in_channels if pred_sigma else in_channels
        self.reference_side = input_sq_size
        self.gradient_checkpointing = False
        self.rope = RotaryFrequencies(hidden_size // num_heads)
        self.x_embedder = PatchEmbedding(in_channels, hidden_size, self.patch)
        self.t_embedder = ScalarEmbedding(hidden_size)
        self.fps_embedder = ScalarEmbedding(hidden_size)
        self.t_block = nn.Sequential(nn.SiLU(), nn.Linear(hidden_size, 6 * hidden_size))
        self.y_embedder = TextEmbedding(caption_channels, hidden_size, model_max_length)
        self.spatial_blocks, self.temporal_blocks = (
            nn.ModuleList(
                Block(hidden_size, num_heads, mlp_ratio=mlp_ratio, qk_norm=qk_norm, along_time=along_time)
                for _ in range(depth)
            )
            for along_time in (False, True)
        )
        self.final_layer = FinalLayer(hidden_size, self.patch**2 * self.out_channels)

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        """All blocks in their order: over space, over time, over space, ..."""
        pairs = zip(self.spatial_blocks, self.temporal_blocks, strict=True)
        return tuple(block for pair in pairs for block in pair)

    @property
    def proj_out(self) -> nn.Module:
        """The last layer, by the name that diffusers' transformers have for it."""
        layer: nn.Module = self.final_layer
        return layer

    @property
    def weight_dtype(self) -> torch.dtype:
        """The type of the weights, in which the blocks compute."""
        dtype: torch.dtype = self.x_embedder.proj.weight.dtype
        return dtype

    def embed_text(self, text: Tensor) -> Tensor:
        """Text (B,L,D) of the text encoder as (B,L,C), which is the same at every step."""
        embedded: Tensor = self.y_embedder(text.to(self.weight_dtype))
        return embedded

    def forward(
        self,
        latents: Tensor,
        times: Tensor,
        text: Tensor,
        *,
        fps: Tensor,
        height: float,
        width: float,
        text_mask: Tensor | None = None,
        noisy_frames: Tensor | None = None,
        text_is_embedded: bool = False,
        taps: Sequence[int] = (),
    ) -> Output:
        """One pass. latents: (B,4,F,h,w); times: (B,), 0 clean and 1000 noise; text: (B,L,D) of the text encoder.

        fps: (B,) frames a second. height, width: of the video in pixels. text_mask: (B,L) bool, True where there is a
        token; a sample needs one at least. noisy_frames: (B,F) bool; others are told the time 0. text_is_embedded:
        text went through `embed_text` before. taps: numbers of `blocks`.
        """
        dtype = self.weight_dtype
        embedded = text if text_is_embedded else self.embed_text(text)
        x = self.x_embedder(latents.to(dtype))
        _, frames, rows, columns, channels = x.shape
        scale = (height * width) ** 0.5 / self.reference_side
        positions = position_embedding(rows, columns, channels, scale=scale, device=x.device)
        x = x.flatten(2, 3) + positions.to(dtype)
        rate = self.fps_embedder(fps, dtype)
        time = self.t_embedder(times, dtype) + rate
        modulation, clean_time = self.t_block(time)[:, None], None
        if noisy_frames is not None:
            clean_time = self.t_embedder(torch.zeros_like(times), dtype) + rate
            modulation = torch.where(noisy_frames[:, :, None], modulation, self.t_block(clean_time)[:, None])
        rotation = self.rope(frames)
        states: dict[int, Tensor] = {}
        for number, block in enumerate(self.blocks):
            x = self._run(block, x, embedded, text_mask, modulation, rotation)
            if number in taps:
                states[number] = x.unflatten(2, (rows, columns))
        values = self.final_layer(x, time, clean_time, noisy_frames)
        sample = self._unpatched(values, rows)[..., : latents.shape[-2], : latents.shape[-1]]
        return Output(sample=sample.float(), taps=tuple(states[tap] for tap in taps))

    @torch.no_grad()
    def draw_weights(self, generator: torch.Generator) -> None:
        """New weights, as training from nothing begins: blocks over time and the frame rate add nothing at first."""
        nothing: Tensor = self.y_embedder.y_embedding
        nothing.normal_(std=nothing.shape[-1] ** -0.5, generator=generator)
        for name, value in self.named_parameters():
            if name.endswith("scale_shift_table"):
                value.normal_(std=value.shape[-1] ** -0.5, generator=generator)
            elif value.ndim == 1:
                value.fill_(0.0 if name.endswith(".bias") else 1.0)
            elif _starts_at_zero(name):
                value.zero_()
            elif name == "fps_embedder.mlp.0.weight":
                value.normal_(std=0.02, generator=generator)
            else:
                nn.init.xavier_uniform_(value.flatten(1), generator=generator)

    def _run(self, block: nn.Module, *inputs: object) -> Tensor:
        checkpointed = torch.is_grad_enabled() and self.gradient_checkpointing
        output: Tensor = self._gradient_checkpointing_func(block, *inputs) if checkpointed else block(*inputs)
        return output

    def _unpatched(self, values: Tensor, rows: int) -> Tensor:
        """(B,F,S,values of a patch) to (B,channels,F,h,w); of a patch's values the channel runs fastest."""
        patch = self.patch
        grid = values.unflatten(3, (patch, patch, self.out_channels)).unflatten(2, (rows, -1))
        latents: Tensor = grid.permute(0, 6, 1, 2, 4, 3, 5).flatten(5, 6).flatten(3, 4)
        return latents


class PatchEmbedding(nn.Module):
    """Latents (B,channels,F,h,w) to tokens (B,F,h/p,w/p,C); sides are filled up with zeros at their ends."""

    def __init__(self, channels: int, width: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.proj = nn.Conv3d(channels, width, (1, patch, patch), stride=(1, patch, patch))

    def forward(self, latents: Tensor) -> Tensor:
        """Tokens."""
        h, w = latents.shape[-2:]
        padded = F.pad(latents, (0, -w % self.patch, 0, -h % self.patch))
        tokens: Tensor = self.proj(padded)
        return tokens.movedim(1, -1)


class TextEmbedding(nn.Module):
    """Text (B,L,D) to the network's width; y_embedding: (300,D), the text of no caption."""

    y_embedding: Tensor

    def __init__(self, text_width: int, width: int, tokens: int) -> None:
        super().__init__()
        self.y_proj = Mlp(text_width, width, width)
        self.register_buffer("y_embedding", torch.randn(tokens, text_width) / text_width**0.5)

    def forward(self, text: Tensor) -> Tensor:
        """(B,L,C)."""
        embedded: Tensor = self.y_proj(text)
        return embedded


def _starts_at_zero(name: str) -> bool:
    ends = ("attn.proj.weight", "mlp.fc2.weight")  # of attention to the text too
    return name == "fps_embedder.mlp.2.weight" or (name.startswith("temporal_blocks.") and name.endswith(ends))


def _check_shape(patch: tuple[int, ...], width: int, heads: int) -> None:
    if len(patch) != 3 or patch[0] != 1 or patch[1] != patch[2]:
        raise ParametersError(f"patch_size: {list(patch)} is wrong, expected [1, p, p]: write [1, 2, 2]")
    if width % heads or width // heads % 2 or width % 4:
        raise ParametersError(
            f"hidden_size: {width} does not fit {heads} heads, expected a multiple of 4 and heads of an even width: "
            "write 1152 and 16, or another such pair"
        )
