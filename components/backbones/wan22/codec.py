"""Wan's own causal video autoencoder behind the interface of a codec: the mode of its posterior, normalised."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from components.backbones.pixels import to_levels, to_signed
from components.backbones.wan22.backbone import CHUNK
from components.errors import ParametersError

if TYPE_CHECKING:
    from diffusers import AutoencoderKLWan

    from components.backbones.base import Frames


class WanCodec:
    """Latents (x - mean) / deviation per channel, as the transformer was trained on; videos one by one, no tiles.

    Tiles would put seams into the latents and make them depend on the tiles' size.
    """

    def __init__(self, vae: "AutoencoderKLWan") -> None:
        vae.disable_tiling()
        self.vae = vae
        self.channels: int = vae.config.z_dim
        self.spatial_stride: int = vae.config.scale_factor_spatial
        self._mean = torch.tensor(vae.config.latents_mean).view(1, -1, 1, 1, 1)
        self._inverse = 1.0 / torch.tensor(vae.config.latents_std).view(1, -1, 1, 1, 1)

    @torch.no_grad()
    def encode(self, frames: "Frames") -> Tensor:
        """Latents (B,C,1 + (T-1)/4,H/stride,W/stride) of frames (B,T,H,W,3)."""
        self._check(frames)
        latents = [
            self.vae.encode(self._to_vae(to_signed(one[None]))).latent_dist.mode().cpu().float() for one in frames
        ]
        return (torch.cat(latents) - self._mean) * self._inverse

    @torch.no_grad()
    def decode(self, latents: Tensor) -> "Frames":
        """Frames (B,T,H,W,3) of latents (B,C,F,h,w)."""
        raw = latents.cpu() / self._inverse + self._mean
        return np.concatenate([to_levels(self.vae.decode(self._to_vae(one[None])).sample) for one in raw])

    def _to_vae(self, values: Tensor) -> Tensor:
        return values.to(device=self.vae.device, dtype=self.vae.dtype)

    def _check(self, frames: "Frames") -> None:
        _, count, height, width, _ = frames.shape
        if count % CHUNK != 1 or height % self.spatial_stride or width % self.spatial_stride:
            raise ParametersError(
                f"video of {count} frames, {height}x{width}: expected {CHUNK} k + 1 frames and multiples of "
                f"{self.spatial_stride} pixels"
            )
