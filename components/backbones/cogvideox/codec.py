"""CogVideoX's own causal video autoencoder behind the interface of a codec: the mode of its posterior, scaled."""

from typing import TYPE_CHECKING

from torch import Tensor

from components.backbones.autoencoder import VaeCodec
from components.backbones.cogvideox.positions import CHUNK, PAIR
from components.errors import ParametersError

if TYPE_CHECKING:
    from diffusers import AutoencoderKLCogVideoX

    from components.backbones.base import Frames


class CogVideoXCodec(VaeCodec):
    """Latents times the autoencoder's `scaling_factor`; a latent frame covers four frames, and they come in pairs.

    The autoencoder itself goes through a video in pieces of eight frames; its convolutions see the past, its norms the
    whole piece.
    """

    def __init__(self, vae: "AutoencoderKLCogVideoX") -> None:
        super().__init__(
            vae,
            channels=vae.config.latent_channels,
            stride=2 ** (len(vae.config.block_out_channels) - 1),
            frames=CHUNK * PAIR,
            mean=0.0,
            scale=vae.config.scaling_factor,
        )

    def decode(self, latents: Tensor) -> "Frames":
        """Frames (B,T,H,W,3) of latents (B,C,F,h,w); ParametersError when F is even, which the autoencoder misreads."""
        if latents.shape[2] % PAIR != 1:
            raise ParametersError(
                f"{latents.shape[2]} latent frames do not fit backbone cogvideox, expected {PAIR} k + 1: write a "
                f"video.frames of {CHUNK * PAIR} k + 1"
            )
        return super().decode(latents)
