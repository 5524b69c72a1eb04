"""CogVideoX's own causal video autoencoder behind the interface of a codec: the mode of its posterior, scaled."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from components.backbones.cogvideox.positions import CHUNK, PAIR
from components.backbones.pixels import to_levels, to_signed
from components.errors import ParametersError

if TYPE_CHECKING:
    from diffusers import AutoencoderKLCogVideoX

    from components.backbones.base import Frames


class CogVideoXCodec:
    """Latents times the autoencoder's `scaling_factor`, as the transformer was trained on; videos one by one, no tiles.

    Tiles would put seams into the latents and make them depend on the tiles' size. The autoencoder itself goes through
    a video in pieces of eight frames; its convolutions see the past, its norms the whole piece.
    """

    def __init__(self, vae: "AutoencoderKLCogVideoX") -> None:
        vae.disable_tiling()
        self.vae = vae
        self.channels: int = vae.config.latent_channels
        self.spatial_stride: int = 2 ** (len(vae.config.block_out_channels) - 1)
        self._scale: float = vae.config.scaling_factor

    @torch.no_grad()
    def encode(self, frames: "Frames") -> Tensor:
        """Latents (B,C,1 + (T-1)/4,H/stride,W/stride) of frames (B,T,H,W,3); ParametersError when they do not fit."""
        self._check(frames)
        latents = [
            self.vae.encode(self._to_vae(to_signed(one[None]))).latent_dist.mode().cpu().float() for one in frames
        ]
        return torch.cat(latents) * self._scale

    @torch.no_grad()
    def decode(self, latents: Tensor) -> "Frames":
        """Frames (B,T,H,W,3) of latents (B,C,F,h,w); ParametersError when F is even, which the autoencoder misreads."""
        if latents.shape[2] % PAIR != 1:
            raise ParametersError(
                f"{latents.shape[2]} latent frames do not fit backbone cogvideox, expected {PAIR} k + 1: write a "
                f"video.frames of {CHUNK * PAIR} k + 1"
            )
        raw = latents.cpu() / self._scale
        return np.concatenate([to_levels(self.vae.decode(self._to_vae(one[None])).sample) for one in raw])

    def _to_vae(self, values: Tensor) -> Tensor:
        return values.to(device=self.vae.device, dtype=self.vae.dtype)

    def _check(self, frames: "Frames") -> None:
        _, count, height, width, _ = frames.shape
        if count % (CHUNK * PAIR) != 1 or height % self.spatial_stride or width % self.spatial_stride:
            raise ParametersError(
                f"video of {count} frames, {height}x{width}: expected {CHUNK * PAIR} k + 1 frames and multiples of "
                f"{self.spatial_stride} pixels"
            )
