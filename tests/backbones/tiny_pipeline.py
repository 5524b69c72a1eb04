"""A published pipeline in small: the same classes and the same files, weights drawn from a seed."""

from pathlib import Path

import torch

WORDS = ("red", "ball", "falls", "a", "blue", "box", "slides", "down", "the", "ramp")
CHANNELS, TEXT_WIDTH, SHIFT = 48, 16, 5.0


def save_pipeline(folder: Path) -> None:
    """Write a Wan2.2-TI2V pipeline as diffusers does; its autoencoder has the published one's switches on."""
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanImageToVideoPipeline, WanTransformer3DModel
    from transformers import UMT5Config, UMT5EncoderModel

    from components.backbones.pretrained import no_progress_bars

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = AutoencoderKLWan(
            base_dim=4,
            decoder_base_dim=4,
            z_dim=CHANNELS,
            dim_mult=[1, 2, 2, 2],
            num_res_blocks=1,
            temperal_downsample=[False, True, True],
            latents_mean=[0.02 * channel for channel in range(CHANNELS)],
            latents_std=[0.5 + 0.05 * channel for channel in range(CHANNELS)],
            is_residual=True,
            in_channels=12,
            out_channels=12,
            patch_size=2,
            scale_factor_spatial=16,
            scale_factor_temporal=4,
        )
        text_encoder = UMT5EncoderModel(
            UMT5Config(vocab_size=64, d_model=TEXT_WIDTH, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
        )
        transformer = WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=CHANNELS,
            out_channels=CHANNELS,
            text_dim=TEXT_WIDTH,
            freq_dim=16,
            ffn_dim=32,
            num_layers=3,
            cross_attn_norm=True,
            qk_norm="rms_norm_across_heads",
            rope_max_seq_len=32,
        )
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=SHIFT)
    pipeline = WanImageToVideoPipeline(
        tokenizer=make_tokenizer(),
        text_encoder=text_encoder.eval(),
        vae=vae,
        scheduler=scheduler,
        transformer=transformer,
        expand_timesteps=True,
    )
    with no_progress_bars():
        pipeline.save_pretrained(folder)


def make_tokenizer() -> object:
    """A tokenizer of a few words and letters."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import T5TokenizerFast

    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -10.0)]
    letters = [(letter, -6.0) for letter in "▁abcdefghijklmnopqrstuvwxyz.<>&"]
    tokenizer = Tokenizer(models.Unigram([*special, *((f"▁{word}", -2.0) for word in WORDS), *letters], unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return T5TokenizerFast(tokenizer_object=tokenizer, extra_ids=0)
