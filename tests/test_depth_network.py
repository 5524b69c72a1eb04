"""The depth networks: what they put out, what they learn, and that the same seed gives the same network."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from components.backbones import laptop_latents
from components.clip import Clip
from components.depth_network import DepthKind, DepthNetwork, UNet, load, save
from components.errors import Phys4dError
from components.index import index_row, write_index
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.shards import new_shard
from components.training.depth import (
    DepthLearner,
    DepthSamples,
    depth_loss,
    error_figures,
    invariant_depth_loss,
    read_samples,
)
from tests.clips import make_clip

SECTION = parse_params(profile_values("smoke"), source="smoke").depth_net
KINDS: tuple[DepthKind, ...] = ("metric", "affine_disparity")


def make_samples(clips: int = 6, *, size: int = 32, seed: int = 0) -> DepthSamples:
    """A red square somewhere before a wall: it is at 3 metres, the wall at 6; latents give everything back."""
    rng = np.random.default_rng(seed)
    rgb = np.full((clips, 3, size, size, 3), 120, np.uint8)
    foreground = np.zeros((clips, 3, size, size), np.bool_)
    for clip in range(clips):
        for frame in range(3):
            top, left = rng.integers(0, size - 8, 2)
            foreground[clip, frame, top : top + 8, left : left + 8] = True
    rgb[foreground] = (220, 30, 30)
    depth = np.where(foreground, 3, 6).astype(np.float32)
    valid = np.ones_like(foreground)
    return DepthSamples(rgb=rgb, decoded=rgb, depth=depth, valid=valid, foreground=foreground)


def train(samples: DepthSamples, *, kind: DepthKind = "metric", steps: int = 60, seed: int = 0) -> DepthLearner:
    section = SECTION.model_copy(update={"steps": steps, "learning_rate": 1e-2})
    learner = DepthLearner(samples, section, depth_kind=kind, seed=seed)
    for step in range(steps):
        learner.update(step)
    return learner


def weights(network: DepthNetwork) -> NDArray[np.float32]:
    return np.concatenate([value.numpy().ravel() for value in network.module.state_dict().values()])


def untrained(kind: DepthKind = "metric") -> DepthNetwork:
    torch.manual_seed(0)
    return DepthNetwork(depth_kind=kind, module=UNet(8).eval())


@pytest.mark.parametrize("size", [(16, 16), (64, 64), (48, 80), (17, 33)])
def test_every_pixel_of_every_frame_has_a_value(size: tuple[int, int]) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, *size, 3), dtype=np.uint8)
    depth = untrained().predict(frames)
    assert depth.shape == (2, 3, *size)
    assert depth.dtype == np.float32
    assert (depth > 0).all()


def test_a_frame_alone_is_read_as_among_others() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    network = untrained()
    np.testing.assert_allclose(network.predict(frames)[3], network.predict(frames[3]), rtol=2e-2)


def test_a_network_sees_where_a_pixel_is() -> None:
    """A frame of one colour has no other cue; far from the border only the position differs."""
    depth = untrained().predict(np.full((128, 128, 3), 100, np.uint8))
    assert depth[48:80, 48:80].std() > 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_network_is_the_same_network(tmp_path: Path, kind: DepthKind) -> None:
    network = untrained(kind)
    save(network, tmp_path / "a")
    save(network, tmp_path / "b")
    again = load(tmp_path / "a")
    assert again.depth_kind == kind
    assert not again.module.training
    np.testing.assert_array_equal(weights(again), weights(network))
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize("spoil", ["missing", "cut short", "another shape", "no description"])
def test_what_cannot_be_read_names_the_stage(tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / "judge"
    save(untrained(), folder)
    match spoil:
        case "missing":
            (folder / "network.safetensors").unlink()
        case "cut short":
            content = (folder / "network.safetensors").read_bytes()
            (folder / "network.safetensors").write_bytes(content[: len(content) // 2])
        case "another shape":
            (folder / "network.json").write_text('{"depth_kind": "metric", "width": 12}')
        case "no description":
            (folder / "network.json").write_text("{")
    with pytest.raises(Phys4dError, match="run phys4d stage depth_net@judge --force") as error:
        load(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("[]", "network.json is a list, expected an object"),
        ('{"depth_kind": "feet", "width": 8}', "depth_kind is 'feet', expected metric or affine_disparity"),
        ('{"depth_kind": ["metric"], "width": 8}', "depth_kind is .'metric'., expected"),
        ('{"width": 8}', "depth_kind is None, expected"),
        ('{"depth_kind": "metric", "width": "8"}', "width is '8', expected a multiple of 4"),
        ('{"depth_kind": "metric", "width": 0}', "width is 0, expected a multiple of 4"),
    ],
)
def test_a_description_of_no_network_says_what_is_wrong(tmp_path: Path, description: str, message: str) -> None:
    save(untrained(), tmp_path / "judge")
    (tmp_path / "judge" / "network.json").write_text(description)
    with pytest.raises(Phys4dError, match=message) as error:
        load(tmp_path / "judge")
    assert "run phys4d stage depth_net@judge --force" in str(error.value)


def test_loading_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    save(untrained(), tmp_path / "judge")
    before = torch.get_rng_state()
    load(tmp_path / "judge")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_metric_depth_is_learned_in_metres() -> None:
    network = train(make_samples(), steps=120).network()
    figures = error_figures(network, make_samples(2, seed=1))
    assert figures["absrel"] < 0.05
    assert figures["foreground_absrel"] < 0.2


@pytest.mark.slow
def test_disparity_is_learned_up_to_scale_and_shift() -> None:
    network = train(make_samples(), kind="affine_disparity", steps=120).network()
    figures = error_figures(network, make_samples(2, seed=1))
    assert figures["absrel"] < 0.05
    assert figures["foreground_absrel"] < 0.2


def test_the_labeler_learns_the_same_whatever_the_scale_of_its_scenes() -> None:
    """Scenes twice as large give the same labeler, to the precision of half as large numbers."""
    samples = make_samples()
    larger = replace(samples, depth=samples.depth * 2)
    first, second = (train(one, kind="affine_disparity", steps=5).network() for one in (samples, larger))
    np.testing.assert_array_equal(weights(first), weights(second))


def test_scale_and_shift_of_every_picture_are_free() -> None:
    generator = torch.Generator().manual_seed(0)
    target, predicted = torch.rand(2, 4, 8, 8, generator=generator)
    scale, shift = (torch.rand(4, 1, 1, generator=generator) + 0.5 for _ in range(2))
    loss = invariant_depth_loss(predicted, target, torch.ones(4, 8, 8))
    torch.testing.assert_close(invariant_depth_loss(predicted, target * scale + shift, torch.ones(4, 8, 8)), loss)
    torch.testing.assert_close(invariant_depth_loss(predicted * scale - shift, target, torch.ones(4, 8, 8)), loss)
    assert float(invariant_depth_loss(target * 3 + 1, target, torch.ones(4, 8, 8))) < 1e-5


def test_a_loss_weighs_every_pixel() -> None:
    weights_of = torch.tensor([[[1.0, 11.0]]])
    assert float(depth_loss(torch.tensor([[[1.0, 1.0]]]), torch.tensor([[[0.0, 2.0]]]), weights_of)) == 6.0


def test_the_same_seed_trains_the_same_network_and_another_another() -> None:
    first, second, other = (train(make_samples(), steps=4, seed=seed).network() for seed in (1, 1, 2))
    np.testing.assert_array_equal(weights(first), weights(second))
    assert (weights(first) != weights(other)).any()


def test_a_resumed_training_ends_with_the_same_bits() -> None:
    samples = make_samples()
    whole = train(samples, steps=8).network()
    section = SECTION.model_copy(update={"steps": 8, "learning_rate": 1e-2})
    first = DepthLearner(samples, section, depth_kind="metric", seed=0)
    for step in range(3):
        first.update(step)
    state = {name: value.clone() for name, value in first.state().items()}
    second = DepthLearner(samples, section, depth_kind="metric", seed=5)
    second.load_state(state)
    for step in range(3, 8):
        second.update(step)
    np.testing.assert_array_equal(weights(second.network()), weights(whole))


@pytest.mark.slow
def test_what_latents_give_back_is_learned_too() -> None:
    """Latents that turn red to blue: a network that saw only clean frames would not know the square."""
    samples = make_samples()
    blue = replace(samples, decoded=samples.rgb[..., ::-1].copy())
    seen = make_samples(2, seed=1)
    turned = replace(seen, rgb=seen.rgb[..., ::-1].copy())
    knows, does_not = (error_figures(train(one).network(), turned) for one in (blue, samples))
    assert knows["foreground_absrel"] < 0.5 * does_not["foreground_absrel"]


def write_clips(folder: Path, count: int) -> list[Clip]:
    rng = np.random.default_rng(0)
    clips = []
    for number in range(count):
        rgb = rng.integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)
        fields: dict[str, NDArray[Any]] = {
            "rgb": rgb,
            "depth": rng.uniform(1, 9, (5, 16, 16)).astype(np.float32),
            "valid": rng.random((5, 16, 16)) < 0.9,
            "flow": np.zeros((4, 16, 16, 2), np.float32),
            "depth_change": np.zeros((4, 16, 16), np.float32),
            "visible": np.ones((4, 16, 16), np.bool_),
            "segmentation": rng.integers(0, 3, (5, 16, 16)).astype(np.uint16),
        }
        clips.append(make_clip(f"judge-rigid-{number:06d}-v0-t0", seed=number, **fields))
    with new_shard(folder / "shard-00000.tar") as shard:
        write_index(folder, [index_row(clip, shard.add(clip)) for clip in clips])
    return clips


def test_samples_are_the_clips_with_what_latents_make_of_them(tmp_path: Path) -> None:
    clips = write_clips(tmp_path, 3)
    codec = laptop_latents.fit(np.stack([clip.rgb for clip in clips]), channels=4)
    samples = read_samples(tmp_path, codec)
    for number, clip in enumerate(clips):
        np.testing.assert_array_equal(samples.rgb[number], clip.rgb)
        np.testing.assert_array_equal(samples.decoded[number], codec.decode(codec.encode(clip.rgb[None]))[0])
        np.testing.assert_array_equal(samples.depth[number], clip.depth)
        np.testing.assert_array_equal(samples.valid[number], clip.valid)
        np.testing.assert_array_equal(samples.foreground[number], clip.segmentation == 2)


@pytest.mark.parametrize(("clips", "trained_on", "held_out"), [(1, 1, 1), (4, 3, 1), (32, 30, 2)])
def test_some_clips_are_kept_for_measuring(clips: int, trained_on: int, held_out: int) -> None:
    first, second = make_samples(clips, size=8 + 1).split()
    assert (len(first.rgb), len(second.rgb)) == (trained_on, held_out)
