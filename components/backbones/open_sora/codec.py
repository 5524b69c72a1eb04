"""Open-Sora's two-part autoencoder behind the interface of a codec: the modes of its posteriors, normalised."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from components.backbones.open_sora.schedule import check_frames, frames_of_latents
from components.backbones.pixels import to_levels, to_signed
from components.compute import device
from components.errors import ParametersError

if TYPE_CHECKING:
    from components.backbones.base import Frames
    from components.backbones.open_sora.vae import OpenSoraVAE


class OpenSoraCodec:
    """Latents as the transformer was trained on, but for noise; videos one by one, chunks of 17 frames."""

    def __init__(self, vae: "OpenSoraVAE") -> None:
        self.vae = vae
        self.channels: int = vae.channels
        self.spatial_stride: int = vae.spatial_stride

    @torch.no_grad()
    def encode(self, frames: "Frames") -> Tensor:
        """Latents (B,4,F,H/8,W/8) of frames (B,T,H,W,3): one of a single frame, else five of every 17.

        ParametersError for frames that are no chunks, and sides that are no multiples of 8, which would be cut.
        """
        self._check(frames)
        return torch.cat([self.vae.encode(self._to_vae(to_signed(one[None]))).cpu().float() for one in frames])

    @torch.no_grad()
    def decode(self, latents: Tensor) -> "Frames":
        """Frames (B,T,H,W,3) of latents (B,4,F,h,w); ParametersError where F is neither 1 nor 5 k."""
        frames = frames_of_latents(latents.shape[2])
        return np.concatenate([to_levels(self.vae.decode(self._to_vae(one[None]), frames)) for one in latents])

    def _to_vae(self, values: Tensor) -> Tensor:
        self.vae.to(device())  # from its first video on: a stage that needs none leaves the accelerator to others
        return values.to(device=self.vae.device, dtype=self.vae.dtype)

    def _check(self, frames: "Frames") -> None:
        _, count, height, width, _ = frames.shape
        check_frames(count)
        if height % self.spatial_stride or width % self.spatial_stride:
            raise ParametersError(f"video of {height}x{width}: expected multiples of {self.spatial_stride} pixels")
