"""CogVideoX-5b-I2V's published pipeline in small: the same classes and the same files, weights drawn from a seed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

Part = Any  # of a pipeline: the libraries' classes have no types

CHANNELS, TEXT_WIDTH, TEXT_TOKENS = 4, 16, 12
FRAMES, HEIGHT, WIDTH = 9, 32, 48  # the only size of its learned positions, in frames and pixels
LATENTS = (CHANNELS, 3, 4, 6)  # C,F,h,w of that size
SCALE = 0.7  # of latents
SCHEDULE: Mapping[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "set_alpha_to_one": True,
    "snr_shift_scale": 1.0,
    "timestep_spacing": "trailing",
}


def make_transformer(**changes: object) -> Part:
    """A transformer like the published one; `changes` of its configuration."""
    from diffusers import CogVideoXTransformer3DModel

    published = {
        "num_attention_heads": 2,
        "attention_head_dim": 16,
        "in_channels": 2 * CHANNELS,
        "out_channels": CHANNELS,
        "time_embed_dim": 16,
        "text_embed_dim": TEXT_WIDTH,
        "num_layers": 3,
        "sample_height": LATENTS[2],
        "sample_width": LATENTS[3],
        "sample_frames": FRAMES,
        "max_text_seq_length": TEXT_TOKENS,
        "use_rotary_positional_embeddings": True,
        "use_learned_positional_embeddings": True,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformer = CogVideoXTransformer3DModel(**{**published, **changes})
        if changes.get("use_learned_positional_embeddings", True):  # learned: not the sines it was started from
            torch.nn.init.normal_(transformer.patch_embed.pos_embedding)
    return transformer.eval().requires_grad_(False)


def make_vae(**changes: object) -> Part:
    """An autoencoder like the published one, with its tiles on; `changes` of its configuration."""
    from diffusers import AutoencoderKLCogVideoX

    published = {
        "block_out_channels": (4, 4, 4, 8),
        "latent_channels": CHANNELS,
        "layers_per_block": 1,
        "norm_num_groups": 2,
        "temporal_compression_ratio": 4,
        "sample_height": HEIGHT,
        "sample_width": WIDTH,
        "scaling_factor": SCALE,
        "invert_scale_latents": False,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        vae = AutoencoderKLCogVideoX(**{**published, **changes})
    return vae.eval().requires_grad_(False)


def make_scheduler(**changes: object) -> Part:
    """The deterministic scheduler on the published noise levels; `changes` of its configuration."""
    from diffusers import CogVideoXDDIMScheduler

    return CogVideoXDDIMScheduler(**{**SCHEDULE, **changes})


def make_pipeline(
    *,
    transformer: Part = None,
    vae: Part = None,
    scheduler: Part = None,
) -> Part:
    """diffusers' image-to-video pipeline of such parts, or of others."""
    from diffusers import CogVideoXImageToVideoPipeline
    from transformers import T5Config, T5EncoderModel

    from tests.backbones.tiny_pipeline import make_tokenizer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        text_encoder = T5EncoderModel(
            T5Config(
                vocab_size=64,
                d_model=TEXT_WIDTH,
                d_kv=8,
                d_ff=32,
                num_layers=1,
                num_heads=2,
                feed_forward_proj="gated-gelu",
            )
        )
    pipeline = CogVideoXImageToVideoPipeline(
        tokenizer=make_tokenizer(),
        text_encoder=text_encoder.eval(),
        vae=vae or make_vae(),
        transformer=transformer or make_transformer(),
        scheduler=scheduler or make_scheduler(),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def save_pipeline(folder: Path) -> None:
    """Write the pipeline as diffusers does."""
    from components.backbones.pretrained import no_progress_bars

    with no_progress_bars():
        make_pipeline().save_pretrained(folder)
