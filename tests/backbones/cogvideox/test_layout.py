"""A folder that is no CogVideoX-5b-I2V is refused, with the file and the field that say so."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from components.backbones.cogvideox.layout import read_layout
from components.backbones.cogvideox.published import PART, describe, load
from components.backbones.hub import PublishedFiles
from components.errors import ExitCode, ParametersError
from tests.backbones.cogvideox.tiny import SCALE, TEXT_TOKENS
from tests.backbones.damage import Damage, saying, without
from tests.backbones.shapes import VIDEO

SCHEDULER = "scheduler/scheduler_config.json"
TRANSFORMER = "transformer/config.json"
VAE = "vae/config.json"


@pytest.fixture
def copy(cogvideox_folder: Path, tmp_path: Path) -> Path:
    """A pipeline of one's own."""
    return shutil.copytree(cogvideox_folder, tmp_path / "pipeline")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without(VAE), r"vae/config.json is not there: write THUDM"),
        (saying("model_index.json", _class_name="CogVideoXPipeline"), r"CogVideoXPipeline, expected CogVideoXImageTo"),
        (saying("model_index.json", vae=["diffusers", "AutoencoderKL"]), r"vae: .*expected .*AutoencoderKLCogVideoX"),
        (saying(TRANSFORMER, patch_size_t=2), r"patch_size_t: 2, expected nothing: write THUDM"),
        (saying(TRANSFORMER, in_channels=4), r"in_channels: 4, expected 8"),
        (saying(TRANSFORMER, out_channels=8), r"out_channels: 8, expected 4"),
        (saying(TRANSFORMER, text_embed_dim=4096), r"text_embed_dim: 4096, expected 16"),
        (saying(TRANSFORMER, temporal_compression_ratio=8), r"temporal_compression_ratio: 8, expected 4"),
        (saying(TRANSFORMER, max_text_seq_length=None), r"max_text_seq_length: None, expected a number above 0"),
        (saying(VAE, temporal_compression_ratio=8), r"temporal_compression_ratio: 8, expected 4"),
        (saying(VAE, block_out_channels=[4, 4, 8]), r"block_out_channels: \[4, 4, 8\], expected 4 numbers"),
        (saying(VAE, shift_factor=0.1), r"shift_factor: 0.1, expected nothing"),
        (saying(VAE, latents_mean=[0.0]), r"latents_mean: \[0.0\], expected nothing"),
        (saying(VAE, scaling_factor=0), r"scaling_factor: 0, expected a number above 0"),
        (saying(SCHEDULER, _class_name="DDIMScheduler"), r"DDIMScheduler, expected CogVideoXDPMScheduler or CogVideoX"),
        (saying(SCHEDULER, prediction_type="epsilon"), r"prediction_type: epsilon, expected v_prediction"),
        (saying(SCHEDULER, beta_schedule="linear"), r"beta_schedule: linear, expected scaled_linear"),
        (saying(SCHEDULER, rescale_betas_zero_snr=False), r"rescale_betas_zero_snr: False, expected True"),
        (saying(SCHEDULER, set_alpha_to_one=False), r"set_alpha_to_one: False, expected True"),
        (saying(SCHEDULER, timestep_spacing="leading"), r"timestep_spacing: leading, expected trailing"),
        (saying(SCHEDULER, num_train_timesteps=500), r"num_train_timesteps: 500, expected 1000"),
        (saying(SCHEDULER, trained_betas=[0.1]), r"trained_betas: \[0.1\], expected nothing"),
        (saying(SCHEDULER, snr_shift_scale=True), r"snr_shift_scale: True, expected a number above 0"),
    ],
)
def test_what_is_not_as_published_is_named(copy: Path, damage: Damage, message: str) -> None:
    damage(copy)
    with pytest.raises(ParametersError, match=message) as caught:
        describe(str(copy), None)[PART]
    assert str(caught.value).startswith(str(copy))
    assert caught.value.code == ExitCode.BAD_PARAMETERS


def test_what_the_adapter_must_know_is_read(copy: Path) -> None:
    """The other published sampler has the same noise levels; an inverted scale is told to the adapter."""
    saying(SCHEDULER, _class_name="CogVideoXDPMScheduler", snr_shift_scale=3.0)(copy)
    saying(VAE, invert_scale_latents=True)(copy)
    layout = read_layout(copy, source="here")
    assert (layout.beta_start, layout.beta_end, layout.snr_shift) == (0.00085, 0.012, 3.0)
    assert layout.text_tokens == TEXT_TOKENS
    assert layout.first_scale == pytest.approx(1 / SCALE**2)
    backbone, _, text = load(_facts(copy), VIDEO)
    assert (backbone.first_scale, text.tokens) == (layout.first_scale, TEXT_TOKENS)


def test_a_missing_weight_is_named_and_not_drawn_at_random(copy: Path) -> None:
    path = copy / "transformer/diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    del tensors["patch_embed.pos_embedding"]  # the learned table, which would be sines again
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ParametersError, match=r"transformer: 1 weights .* first is patch_embed.pos_embedding"):
        load(_facts(copy), VIDEO)


def test_weights_of_another_shape_are_refused(copy: Path) -> None:
    saying(TRANSFORMER, time_embed_dim=32)(copy)
    with pytest.raises(ParametersError, match=r"transformer: not readable as CogVideoXTransformer3DModel \("):
        load(_facts(copy), VIDEO)


def test_a_missing_weight_of_the_text_encoder_is_named(copy: Path) -> None:
    path = copy / "text_encoder/model.safetensors"
    tensors = load_file(path)
    name = next(name for name in sorted(tensors) if "SelfAttention.q" in name)
    del tensors[name]
    save_file(tensors, path, {"format": "pt"})
    _, _, text = load(_facts(copy), VIDEO)
    with pytest.raises(ParametersError, match=rf"text_encoder: 1 weights of T5EncoderModel .* {name}"):
        text.encode(["a red ball"])


def _facts(folder: Path) -> Mapping[str, PublishedFiles]:
    return describe(str(folder), None)
