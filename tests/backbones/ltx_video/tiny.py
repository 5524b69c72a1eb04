"""LTX-Video's published pipeline in small: the same classes and the same files, weights drawn from a seed."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from components.backbones.family import VideoShape

Part = Any  # of a pipeline: the libraries' classes have no types

CHANNELS, TEXT_WIDTH, TEXT_TOKENS = 4, 16, 128
VIDEO = VideoShape(frames=17, height=64, width=96, fps=8.0)
LATENTS = (CHANNELS, 3, 2, 3)  # C,F,h,w of that video


def make_transformer() -> Part:
    """A transformer like the published one."""
    from diffusers import LTXVideoTransformer3DModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformer = LTXVideoTransformer3DModel(
            in_channels=CHANNELS,
            out_channels=CHANNELS,
            num_attention_heads=2,
            attention_head_dim=16,
            cross_attention_dim=32,
            num_layers=3,
            caption_channels=TEXT_WIDTH,
        )
    return transformer.eval().requires_grad_(False)


def make_vae() -> Part:
    """An autoencoder like the published one, its statistics not 0 and 1."""
    from diffusers import AutoencoderKLLTXVideo

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        vae = AutoencoderKLLTXVideo(
            latent_channels=CHANNELS,
            block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8, 8),
            layers_per_block=(1, 1, 1, 1, 1),
            decoder_layers_per_block=(1, 1, 1, 1, 1),
        )
        vae.latents_mean.copy_(torch.linspace(-0.2, 0.3, CHANNELS))
        vae.latents_std.copy_(torch.linspace(0.5, 1.4, CHANNELS))
    return vae.eval().requires_grad_(False)


def make_scheduler() -> Part:
    """The published scheduler."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(
        base_image_seq_len=1024,
        base_shift=0.95,
        max_image_seq_len=4096,
        max_shift=2.05,
        shift_terminal=0.1,
        use_dynamic_shifting=True,
    )


def save_pipeline(folder: Path) -> None:
    """Write the pipeline as diffusers does."""
    from diffusers import LTXImageToVideoPipeline
    from transformers import T5Config, T5EncoderModel

    from components.backbones.pretrained import no_progress_bars
    from tests.backbones.tiny_pipeline import make_tokenizer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        config = T5Config(vocab_size=64, d_model=TEXT_WIDTH, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
        text_encoder = T5EncoderModel(config).eval()
    pipeline = LTXImageToVideoPipeline(
        tokenizer=make_tokenizer(),
        text_encoder=text_encoder,
        vae=make_vae(),
        transformer=make_transformer(),
        scheduler=make_scheduler(),
    )
    with no_progress_bars():
        pipeline.save_pretrained(folder)


def load_theirs(folder: Path, *, dtype: torch.dtype = torch.float32) -> Part:
    """diffusers' image-to-video pipeline, its autoencoder in float32."""
    from diffusers import AutoencoderKLLTXVideo, LTXImageToVideoPipeline

    from components.backbones.pretrained import no_progress_bars

    with no_progress_bars():
        vae = AutoencoderKLLTXVideo.from_pretrained(folder, subfolder="vae", dtype=torch.float32)
        pipeline = LTXImageToVideoPipeline.from_pretrained(folder, vae=vae, dtype=dtype, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def packed(latents: Tensor) -> Tensor:
    """Latents (B,C,F,h,w) as tokens (B,F h w,C)."""
    return latents.permute(0, 2, 3, 4, 1).flatten(1, 3)


def unpacked(tokens: Tensor) -> Tensor:
    """Tokens (B,F h w,C) of VIDEO as latents (B,C,F,h,w)."""
    frames, height, width = LATENTS[1:]
    return tokens.view(len(tokens), frames, height, width, -1).permute(0, 4, 1, 2, 3)
