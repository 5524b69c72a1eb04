"""Video-Depth-Anything as an estimator: the real loading code, with a tiny network saved under the published names."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from components.errors import ParametersError
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.pseudo_labels.estimators import make_depth_estimator
from components.pseudo_labels.video_depth_anything import CONVERSION, VideoDepthAnything, load_video_depth_anything
from tests.dotted import set_fields
from tests.pseudo_labels.tiny_video_depth import TINY, save_tiny, weights
from tests.pseudo_labels.videos import panning


def load(folder: Path) -> VideoDepthAnything:
    return load_video_depth_anything(str(folder), revision=None)


@pytest.mark.parametrize(
    ("config", "depth_kind"),
    [
        (None, "affine_disparity"),
        ({}, "affine_disparity"),
        ({"depth_estimation_type": "relative"}, "affine_disparity"),
        ({"depth_estimation_type": "metric"}, "metric"),
    ],
)
def test_a_saved_model_labels_a_video(tmp_path: Path, config: dict[str, str] | None, depth_kind: str) -> None:
    save_tiny(tmp_path)
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    estimator = load(tmp_path)
    depth = estimator.predict(panning(9, height=48, width=64))
    assert estimator.depth_kind == depth_kind
    assert depth.shape == (9, 48, 64)
    assert depth.dtype == np.float32
    assert np.isfinite(depth).all()
    assert depth.std() > 0


def test_the_network_sees_what_it_was_trained_on(tmp_path: Path) -> None:
    """The shorter side has the size of its position embeddings, colours are normalised as ImageNet's."""
    estimator = load(save_tiny(tmp_path))
    seen: list[torch.Tensor] = []
    estimator.network.register_forward_pre_hook(lambda _module, pictures: seen.append(pictures[0]))
    estimator.predict(np.full((2, 30, 48, 3), (255, 0, 128), np.uint8))
    assert seen[0].shape == (32, 3, 70, 112)
    expected = (np.array([1, 0, 128 / 255]) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(seen[0].mean((0, 2, 3)).numpy(), expected, rtol=1e-5)


def test_weights_of_half_precision_are_read_in_full(tmp_path: Path) -> None:
    save_tiny(tmp_path, {name: tensor.half() for name, tensor in weights(TINY["base"]).items()})
    assert {parameter.dtype for parameter in load(tmp_path).network.parameters()} == {torch.float32}


def test_it_is_what_the_parameters_name(tmp_path: Path) -> None:
    values = set_fields(
        profile_values("smoke"),
        pseudo_labels__depth="video_depth_anything",
        pseudo_labels__depth_source=str(save_tiny(tmp_path)),
    )
    section = parse_params(values, source="test").pseudo_labels
    assert isinstance(make_depth_estimator(section, Path("models/depth_nets/labeler")), VideoDepthAnything)


def refused(folder: Path) -> str:
    with pytest.raises(ParametersError) as error:
        load(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_pickle_is_refused_and_its_conversion_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command of the message does what it says."""
    monkeypatch.chdir(tmp_path)
    torch.save(weights(TINY["base"]), "IN.pth")
    assert (
        f"has no safetensors, and a pickle (.pth), as Video-Depth-Anything is published, is not read: convert it "
        f'once yourself, python -c "{CONVERSION}", and give DIR as the source' in refused(tmp_path)
    )
    Path("DIR").mkdir()
    exec(CONVERSION)  # noqa: S102 -- the command itself
    assert load(tmp_path / "DIR").network.sizes == TINY["base"]


def test_the_readme_names_the_same_conversion() -> None:
    assert CONVERSION in Path("README.md").read_text()


def test_two_files_of_weights_are_refused(tmp_path: Path) -> None:
    save_file(weights(TINY["base"]), save_tiny(tmp_path) / "other.safetensors")
    assert "has 2 safetensors (model.safetensors, other.safetensors), expected one" in refused(tmp_path)


def test_a_file_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    path = save_tiny(tmp_path) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    assert "not readable as safetensors" in refused(tmp_path)


@pytest.mark.parametrize("value", ["affine", 3, None])
def test_another_kind_of_depth_is_refused(tmp_path: Path, value: object) -> None:
    (save_tiny(tmp_path) / "config.json").write_text(json.dumps({"depth_estimation_type": value}))
    assert f"depth_estimation_type is {value!r}, expected relative or metric" in refused(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{"])
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (save_tiny(tmp_path) / "config.json").write_text(text)
    assert "config.json: " in refused(tmp_path)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    save_tiny(tmp_path, {"backbone.embeddings.cls_token": torch.zeros(1, 1, 8)})
    assert "no Video-Depth-Anything, which has pretrained.pos_embed" in refused(tmp_path)


def test_a_model_without_attention_along_time_is_refused(tmp_path: Path) -> None:
    """Depth Anything V2 has the same names but for these."""
    tensors = {name: tensor for name, tensor in weights(TINY["base"]).items() if "motion_modules" not in name}
    assert "no Video-Depth-Anything, which has head.motion_modules.0." in refused(save_tiny(tmp_path, tensors))


def test_a_model_without_all_its_weights_is_refused(tmp_path: Path) -> None:
    tensors = weights(TINY["base"])
    del tensors["head.scratch.refinenet1.out_conv.bias"], tensors["pretrained.norm.weight"]
    expected = "2 weights of Video-Depth-Anything are missing, the first is head.scratch.refinenet1.out_conv.bias"
    assert expected in refused(save_tiny(tmp_path, tensors))


def test_a_model_with_other_weights_is_refused(tmp_path: Path) -> None:
    tensors = {**weights(TINY["base"]), "head.readout_projects.0.0.weight": torch.zeros(2, 2)}
    expected = "1 weights of Video-Depth-Anything are unknown, the first is head.readout_projects.0.0.weight"
    assert expected in refused(save_tiny(tmp_path, tensors))


def test_a_weight_of_another_shape_is_refused(tmp_path: Path) -> None:
    tensors = {**weights(TINY["base"]), "pretrained.norm.weight": torch.ones(64)}
    assert "pretrained.norm.weight is (64,), expected (128,)" in refused(save_tiny(tmp_path, tensors))


def test_an_encoder_of_another_depth_is_refused(tmp_path: Path) -> None:
    tensors = {name: tensor for name, tensor in weights(TINY["base"]).items() if ".blocks.11." not in name}
    assert "11 blocks in the encoder, expected one of 12, 24" in refused(save_tiny(tmp_path, tensors))
