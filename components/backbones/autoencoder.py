"""The causal video autoencoders of published pipelines behind the interface of a codec."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from components.backbones.pixels import to_levels, to_signed
from components.compute import device
from components.errors import ParametersError

if TYPE_CHECKING:
    from components.backbones.base import Frames


class VaeCodec:
    """Latents (x - mean) scale of the posterior's mode x, as the transformer was trained on; videos one by one.

    vae: of diffusers. stride: pixels of a latent pixel. frames: of a latent frame; videos have frames k + 1. mean,
    scale: numbers, or (1,C,1,1,1). No tiles: they would put seams into the latents, which would depend on their size.
    """

    def __init__(
        self,
        vae: Any,  # noqa: ANN401 -- diffusers has no types
        *,
        channels: int,
        stride: int,
        frames: int,
        mean: Tensor | float,
        scale: Tensor | float,
    ) -> None:
        vae.disable_tiling()
        self.vae = vae
        self.channels = channels
        self.spatial_stride = stride
        self._frames, self._mean, self._scale = frames, mean, scale

    @torch.no_grad()
    def encode(self, frames: "Frames") -> Tensor:
        """Latents (B,C,F,H/stride,W/stride) of frames (B,T,H,W,3); ParametersError when they do not fit."""
        _, count, height, width, _ = frames.shape
        if count % self._frames != 1 or height % self.spatial_stride or width % self.spatial_stride:
            raise ParametersError(
                f"video of {count} frames, {height}x{width}: expected {self._frames} k + 1 frames and multiples of "
                f"{self.spatial_stride} pixels"
            )
        latents = [
            self.vae.encode(self._to_vae(to_signed(one[None]))).latent_dist.mode().cpu().float() for one in frames
        ]
        return (torch.cat(latents) - self._mean) * self._scale

    @torch.no_grad()
    def decode(self, latents: Tensor) -> "Frames":
        """Frames (B,T,H,W,3) of latents (B,C,F,h,w)."""
        raw = latents.cpu() / self._scale + self._mean
        return np.concatenate([to_levels(self.vae.decode(self._to_vae(one[None])).sample) for one in raw])

    def _to_vae(self, values: Tensor) -> Tensor:
        self.vae.to(device())  # from its first video on: a stage that needs none leaves the accelerator to others
        return values.to(device=self.vae.device, dtype=self.vae.dtype)
