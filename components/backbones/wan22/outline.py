"""The published Wan2.2-TI2V-5B without its values."""

from typing import TYPE_CHECKING

import torch

from components.backbones.outline import Outline, in_precision
from components.backbones.wan22.backbone import Wan
from components.backbones.wan22.codec import WanCodec
from components.backbones.wan22.published import PRECISION, SIZE
from components.backbones.wan22.text import TOKENS

if TYPE_CHECKING:
    from components.backbones.family import VideoShape

CHANNELS, TEXT_WIDTH = 48, 4096
TEXT_PARAMETERS = 5_680_910_336  # of UMT5-XXL's encoder
TIME_SHIFT = 5.0


def outline(video: "VideoShape") -> Outline:
    """Transformer and autoencoder on the meta device; ParametersError for frames that the model has not."""
    from diffusers import AutoencoderKLWan, WanTransformer3DModel

    with torch.device("meta"):
        transformer = WanTransformer3DModel(
            num_attention_heads=24,
            attention_head_dim=128,
            in_channels=CHANNELS,
            out_channels=CHANNELS,
            text_dim=TEXT_WIDTH,
            ffn_dim=14336,
            num_layers=30,
        )
        vae = AutoencoderKLWan(
            base_dim=160,
            decoder_base_dim=256,
            z_dim=CHANNELS,
            latents_mean=[0.0] * CHANNELS,
            latents_std=[1.0] * CHANNELS,
            is_residual=True,
            in_channels=12,
            out_channels=12,
            patch_size=2,
            scale_factor_spatial=16,
        )
        backbone = Wan(in_precision(transformer, PRECISION), size=SIZE, time_shift=TIME_SHIFT)
        codec = WanCodec(in_precision(vae, torch.float32))
    backbone.check_frames(video.frames)
    return Outline(
        backbone=backbone,
        codec=codec,
        text_tokens=TOKENS,
        text_width=TEXT_WIDTH,
        text_weights=TEXT_PARAMETERS * PRECISION.itemsize,
    )
