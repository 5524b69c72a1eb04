"""The published depth estimator: the real classes and the real loading code, with a tiny model saved by the library."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

from components.errors import ParametersError, Phys4dError
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.pseudo_labels.depth_anything import DepthAnything, load_depth_anything
from components.pseudo_labels.estimators import make_depth_estimator
from components.pseudo_labels.published_depth import network_size
from tests.dotted import set_fields
from tests.pseudo_labels.videos import panning

LABELER = Path("models/depth_nets/labeler")


def save_tiny(folder: Path, *, kind: str = "relative") -> Path:
    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=16,
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=8,
        head_hidden_size=8,
        depth_estimation_type=kind,
        max_depth=1 if kind == "relative" else 20,
    )
    torch.manual_seed(0)
    model = DepthAnythingForDepthEstimation(config)
    with torch.no_grad():
        model.head.conv3.bias.fill_(0.5)  # else its ReLU may leave nothing
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("kind", "depth_kind"), [("relative", "affine_disparity"), ("metric", "metric")])
def test_a_saved_model_labels_a_video(tmp_path: Path, kind: str, depth_kind: str) -> None:
    estimator = load_depth_anything(str(save_tiny(tmp_path, kind=kind)), revision=None)
    frames = panning(9, height=48, width=64)
    depth = estimator.predict(frames)
    assert estimator.depth_kind == depth_kind
    assert depth.shape == (9, 48, 64)
    assert depth.dtype == np.float32
    assert np.isfinite(depth).all()
    assert depth.std() > 0


def test_every_frame_is_labelled_on_its_own(tmp_path: Path) -> None:
    estimator = load_depth_anything(str(save_tiny(tmp_path)), revision=None)
    frames = panning(9)
    np.testing.assert_allclose(estimator.predict(frames)[8], estimator.predict(frames[8:])[0], rtol=1e-4, atol=1e-5)


def test_the_network_sees_what_it_was_trained_on(tmp_path: Path) -> None:
    """The shorter side has the model's size, colours are normalised as ImageNet's."""
    estimator = load_depth_anything(str(save_tiny(tmp_path)), revision=None)
    seen: list[torch.Tensor] = []
    estimator.model.register_forward_pre_hook(
        lambda _module, _args, options: seen.append(options["pixel_values"]), with_kwargs=True
    )
    estimator.predict(np.full((1, 30, 60, 3), (255, 0, 128), np.uint8))
    assert seen[0].shape == (1, 3, 56, 112)
    expected = (np.array([1, 0, 128 / 255]) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(seen[0].mean((0, 2, 3)).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("size", "expected"), [((64, 64), (518, 518)), ((480, 832), (518, 896)), ((832, 480), (896, 518))]
)
def test_the_aspect_is_kept_in_whole_patches(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert network_size(*size, side=518, patch=14) == expected


def test_it_is_what_the_parameters_name(tmp_path: Path) -> None:
    values = set_fields(
        profile_values("smoke"),
        pseudo_labels__depth="depth_anything",
        pseudo_labels__depth_source=str(save_tiny(tmp_path)),
    )
    section = parse_params(values, source="test").pseudo_labels
    assert isinstance(make_depth_estimator(section, LABELER), DepthAnything)


def refused(**changes: object) -> str:
    section = parse_params(profile_values("smoke"), source="test").pseudo_labels.model_copy(update=changes)
    with pytest.raises(Phys4dError) as error:
        make_depth_estimator(section, LABELER)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "dpt"}))
    assert "is dpt, expected depth_anything" in refused(depth="depth_anything", depth_source=str(tmp_path))


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    assert "is no model, expected depth_anything" in refused(depth="depth_anything", depth_source=str(tmp_path))


def test_a_model_without_all_its_weights_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = save_tiny(tmp_path) / "model.safetensors"
    tensors = load_file(path)
    del tensors["head.conv1.weight"]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ParametersError, match=r"1 weights .* missing, the first is head\.conv1\.weight"):
        load_depth_anything(str(tmp_path), revision=None)
