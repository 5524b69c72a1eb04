"""Wan's own causal video autoencoder behind the interface of a codec: the mode of its posterior, normalised."""

from typing import TYPE_CHECKING

import torch

from components.backbones.autoencoder import VaeCodec
from components.backbones.wan22.backbone import CHUNK

if TYPE_CHECKING:
    from diffusers import AutoencoderKLWan


class WanCodec(VaeCodec):
    """Latents (x - mean) / deviation per channel."""

    def __init__(self, vae: "AutoencoderKLWan") -> None:
        config = vae.config
        super().__init__(
            vae,
            channels=config.z_dim,
            stride=config.scale_factor_spatial,
            frames=CHUNK,
            mean=torch.tensor(config.latents_mean).view(1, -1, 1, 1, 1),
            scale=1.0 / torch.tensor(config.latents_std).view(1, -1, 1, 1, 1),
        )
