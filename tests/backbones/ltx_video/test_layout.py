"""A folder that is no LTX-Video pipeline is refused, with the file and the field that say so."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from components.backbones.ltx_video import describe, load
from components.errors import ExitCode, ParametersError
from tests.backbones.damage import Damage, pickled, saying, without
from tests.backbones.ltx_video.tiny import VIDEO

SCHEDULER = "scheduler/scheduler_config.json"


@pytest.fixture
def copy(ltx_video_folder: Path, tmp_path: Path) -> Path:
    """A pipeline of one's own."""
    return shutil.copytree(ltx_video_folder, tmp_path / "pipeline")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without("model_index.json"), r"no model_index.json, .* diffusers' layout: write Lightricks/LTX-Video"),
        (without("tokenizer"), r"no tokenizer/, expected"),
        (pickled, r"no safetensors in vae/, and pickled weights are not read"),
        (saying("model_index.json", _class_name="LTXConditionPipeline"), r"LTXConditionPipeline, expected LTXImageTo"),
        (saying("model_index.json", vae=["diffusers", "AutoencoderKLWan"]), r"vae: .*KLWan'\], expected .*KLLTXVideo"),
        (saying("transformer/config.json", patch_size=2), r"patch_size: 2, expected 1"),
        (saying("transformer/config.json", patch_size_t=2), r"patch_size_t: 2, expected 1"),
        (saying("transformer/config.json", in_channels=8), r"in_channels: 8, expected 4"),
        (saying("transformer/config.json", out_channels=8), r"out_channels: 8, expected 4"),
        (saying("transformer/config.json", caption_channels=4096), r"caption_channels: 4096, expected 16"),
        (saying("vae/config.json", patch_size=8), r"patch_size: 8, expected 4"),
        (saying("vae/config.json", patch_size_t=2), r"patch_size_t: 2, expected 1"),
        (saying("vae/config.json", spatio_temporal_scaling=[True] * 4), r"spatio_temporal_scaling: .*, expected"),
        (saying("vae/config.json", scaling_factor=0.5), r"scaling_factor: 0.5, expected 1.0"),
        (saying("vae/config.json", timestep_conditioning=True), r"timestep_conditioning: True, expected False"),
        (saying("vae/config.json", decoder_inject_noise=[True] * 4), r"decoder_inject_noise: .*, expected"),
        (saying(SCHEDULER, use_dynamic_shifting=False), r"use_dynamic_shifting: False, expected True"),
        (saying(SCHEDULER, time_shift_type="linear"), r"time_shift_type: linear, expected exponential"),
        (saying(SCHEDULER, shift_terminal=None), r"shift_terminal: None, expected a number above 0"),
        (saying(SCHEDULER, use_karras_sigmas=True), r"use_karras_sigmas: True, expected False"),
        (saying(SCHEDULER, num_train_timesteps=500), r"num_train_timesteps: 500, expected 1000"),
    ],
)
def test_what_is_not_as_published_is_named(copy: Path, damage: Damage, message: str) -> None:
    damage(copy)
    with pytest.raises(ParametersError, match=message) as caught:
        describe(str(copy), None)
    assert str(caught.value).startswith(str(copy))
    assert caught.value.code == ExitCode.BAD_PARAMETERS


def test_the_text_to_video_pipeline_of_the_same_weights_is_read(copy: Path) -> None:
    saying("model_index.json", _class_name="LTXPipeline")(copy)
    backbone, _, _ = load(describe(str(copy), None), VIDEO)
    assert backbone.size == "2b"


@pytest.mark.parametrize(
    ("path", "part"), [("transformer", "transformer_blocks.1.attn1.to_q.weight"), ("vae", "latents_mean")]
)
def test_a_missing_weight_is_named_and_not_drawn_at_random(copy: Path, path: str, part: str) -> None:
    file = copy / path / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    del tensors[part]
    save_file(tensors, file, {"format": "pt"})
    with pytest.raises(ParametersError, match=rf"{path}: 1 weights .* first is {part}"):
        load(describe(str(copy), None), VIDEO)
