"""The published CogVideoX-5b-I2V without its values."""

from typing import TYPE_CHECKING

import torch

from components.backbones.cogvideox.backbone import BETAS, CogVideoX
from components.backbones.cogvideox.codec import CogVideoXCodec
from components.backbones.cogvideox.path import noise_levels
from components.backbones.cogvideox.published import PRECISION, SIZE
from components.backbones.outline import Outline, in_precision

if TYPE_CHECKING:
    from components.backbones.family import VideoShape

CHANNELS, TEXT_TOKENS, TEXT_WIDTH = 16, 226, 4096
TEXT_PARAMETERS = 4_762_310_656  # of T5-v1.1-XXL's encoder


def outline(video: "VideoShape") -> Outline:
    """Transformer and autoencoder on the meta device; ParametersError for frames that the model has not."""
    from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel

    levels = noise_levels(beta_start=BETAS[0], beta_end=BETAS[1], snr_shift=1.0)  # a table, with its values
    with torch.device("meta"):
        transformer = CogVideoXTransformer3DModel(
            num_attention_heads=48,
            in_channels=2 * CHANNELS,
            out_channels=CHANNELS,
            num_layers=42,
            max_text_seq_length=TEXT_TOKENS,
            use_rotary_positional_embeddings=True,
            use_learned_positional_embeddings=True,
        )
        vae = AutoencoderKLCogVideoX(
            down_block_types=("CogVideoXDownBlock3D",) * 4,
            up_block_types=("CogVideoXUpBlock3D",) * 4,
            scaling_factor=0.7,
        )
        backbone = CogVideoX(in_precision(transformer, PRECISION), size=SIZE, levels=levels)
        codec = CogVideoXCodec(in_precision(vae, torch.float32))
    backbone.check_frames(video.frames)
    return Outline(
        backbone=backbone,
        codec=codec,
        text_tokens=TEXT_TOKENS,
        text_width=TEXT_WIDTH,
        text_weights=TEXT_PARAMETERS * PRECISION.itemsize,
    )
