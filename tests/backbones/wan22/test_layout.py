"""A folder that is no Wan2.2-TI2V pipeline is refused, with the file and the field that say so."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from components.backbones.hub import PublishedFiles
from components.backbones.pipeline_files import is_pipeline_file
from components.backbones.wan22.published import PART, describe, load
from components.errors import ExitCode, ParametersError
from tests.backbones.damage import Damage, pickled, saying, without
from tests.backbones.shapes import VIDEO


@pytest.fixture
def copy(pipeline_folder: Path, tmp_path: Path) -> Path:
    """A pipeline of one's own."""
    return shutil.copytree(pipeline_folder, tmp_path / "pipeline")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            without("model_index.json"),
            r"no model_index.json, so it is not a pipeline in diffusers' layout: write Wan-AI",
        ),
        (without("text_encoder"), r"no text_encoder/, expected transformer, vae, "),
        (without("tokenizer"), r"no tokenizer/, expected"),
        (without("scheduler/scheduler_config.json"), r"no scheduler/, expected"),
        (without("vae/config.json"), r"vae/config.json is not there"),
        (pickled, r"no safetensors in vae/, and pickled weights are not read"),
        (
            lambda folder: (folder / "vae/config.json").write_text("{"),
            r"vae/config.json is not readable \(.*\): download",
        ),
        (
            saying("model_index.json", _class_name="CogVideoXPipeline"),
            r"_class_name: CogVideoXPipeline, expected WanIm",
        ),
        (saying("model_index.json", expand_timesteps=False), r"expand_timesteps: False, expected True"),
        (
            saying("model_index.json", transformer_2=["diffusers", "WanTransformer3DModel"]),
            r"transformer_2: .* expected",
        ),
        (saying("model_index.json", vae=["diffusers", "AutoencoderKL"]), r"vae: .*AutoencoderKL'\], expected .*KLWan"),
        (saying("transformer/config.json", in_channels=36), r"config.json says in_channels: 36, expected 48"),
        (saying("transformer/config.json", image_dim=1280), r"image_dim: 1280, expected"),
        (saying("transformer/config.json", text_dim=4096), r"text_dim: 4096, expected 16"),
        (saying("vae/config.json", scale_factor_temporal=8), r"scale_factor_temporal: 8, expected 4"),
        (
            saying("scheduler/scheduler_config.json", prediction_type="epsilon"),
            r"prediction_type: epsilon, expected flow",
        ),
        (
            saying("scheduler/scheduler_config.json", flow_shift=None),
            r"says flow_shift: None, shift: None, expected a number above 0",
        ),
    ],
)
def test_what_is_not_as_published_is_named(copy: Path, damage: Damage, message: str) -> None:
    damage(copy)
    with pytest.raises(ParametersError, match=message) as caught:
        describe(str(copy), None)[PART]
    assert str(caught.value).startswith(str(copy))
    assert caught.value.code == ExitCode.BAD_PARAMETERS


def test_another_scheduler_of_the_same_path_is_read(copy: Path) -> None:
    (copy / "scheduler/scheduler_config.json").write_text(
        json.dumps({"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 3.0})
    )
    backbone, _, _ = load(_facts(copy), VIDEO)
    assert backbone.time_shift == 3.0


def test_a_missing_weight_is_named_and_not_drawn_at_random(copy: Path) -> None:
    path = copy / "transformer/diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    del tensors["blocks.1.attn1.to_q.weight"]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ParametersError, match=r"transformer: 1 weights .* first is blocks.1.attn1.to_q.weight"):
        load(_facts(copy), VIDEO)


def test_weights_of_another_shape_are_refused(copy: Path) -> None:
    saying("transformer/config.json", ffn_dim=48)(copy)
    with pytest.raises(ParametersError, match=r"transformer: not readable as WanTransformer3DModel \("):
        load(_facts(copy), VIDEO)


def test_a_missing_weight_of_the_text_encoder_is_named(copy: Path) -> None:
    path = copy / "text_encoder/model.safetensors"
    tensors = load_file(path)
    name = next(name for name in sorted(tensors) if "SelfAttention.q" in name)
    del tensors[name]
    save_file(tensors, path, {"format": "pt"})
    _, _, text = load(_facts(copy), VIDEO)
    with pytest.raises(ParametersError, match=rf"text_encoder: 1 weights of UMT5EncoderModel .* {name}"):
        text.encode(["a red ball"])


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("model_index.json", True),
        ("transformer/diffusion_pytorch_model-00001-of-00003.safetensors", True),
        ("transformer/diffusion_pytorch_model.safetensors.index.json", True),
        ("tokenizer/spiece.model", True),
        ("README.md", False),
        ("examples/i2v_input.JPG", False),
        ("text_encoder/pytorch_model.bin", False),
        ("config.json", False),
        ("image_encoder/config.json", False),
        ("transformer/old/config.json", False),
    ],
)
def test_only_files_that_are_loaded_belong_to_the_pipeline(path: str, wanted: bool) -> None:
    assert is_pipeline_file(path) is wanted


def _facts(folder: Path) -> Mapping[str, PublishedFiles]:
    return describe(str(folder), None)
