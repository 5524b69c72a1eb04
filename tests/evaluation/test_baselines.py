"""Baselines: the truth is 100, a frozen frame is not, and the instrument does what its parameters say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.clip import Clip
from components.errors import ClipError
from components.evaluation.baselines import baseline_scores, enlarge
from components.evaluation.physics_iq import PhysicsIqScore
from components.index import index_row, write_index
from components.shards import new_shard
from tests.clips import make_clip

FRAMES, SIDE = 12, 64


def moving_square(*, configuration: int, take: int) -> Clip:
    """A bright square that moves to the right over grey, a little faster in take 2."""
    speed = 2 + 0.3 * configuration + 0.1 * take
    rgb = np.full((FRAMES, SIDE, SIDE, 3), 90, np.uint8)
    for frame in range(FRAMES):
        left = 4 + round(frame * speed)
        rgb[frame, 24:36, left : left + 12] = 240
    grid, steps = (FRAMES, SIDE, SIDE), (FRAMES - 1, SIDE, SIDE)
    clip = make_clip(
        f"test-rigid-{configuration:06d}-v0-t{take}",
        seed=configuration,
        rgb=rgb,
        depth=np.ones(grid, np.float32),
        valid=np.ones(grid, np.bool_),
        flow=np.zeros((*steps, 2), np.float32),
        depth_change=np.zeros(steps, np.float32),
        visible=np.ones(steps, np.bool_),
        segmentation=np.ones(grid, np.uint16),
        extrinsics=np.tile(np.eye(4, dtype=np.float32), (FRAMES, 1, 1)),
        tracks=np.zeros((FRAMES, 4, 3), np.float32),
        tracks_visible=np.ones((FRAMES, 4), np.bool_),
        poses=np.zeros((FRAMES, 1, 7), np.float32),
        velocities=np.zeros((FRAMES, 1, 6), np.float32),
    )
    return replace(clip, meta=replace(clip.meta, configuration=f"{configuration:064x}", take=take))


def write_split(folder: Path, *, takes: int = 2) -> Path:
    rows = []
    with new_shard(folder / "shard-00000.tar") as shard:
        for configuration in range(3):
            for take in range(takes):
                clip = moving_square(configuration=configuration, take=take)
                rows.append(index_row(clip, shard.add(clip)))
    write_index(folder, rows)
    return folder


def scores(folder: Path, *, resamples: int = 200) -> dict[str, PhysicsIqScore]:
    return baseline_scores(folder, size=256, seed=0, resamples=resamples, advance=lambda: None)


def test_the_truth_scores_100_and_a_frozen_frame_next_to_nothing(tmp_path: Path) -> None:
    found = scores(write_split(tmp_path))
    assert (found["truth"].score, found["truth"].n) == (100, 3)
    assert found["first_frame"].score < 20


def test_the_number_of_bootstrap_samples_is_the_parameters(tmp_path: Path) -> None:
    folder = write_split(tmp_path)
    few, many = (scores(folder, resamples=count)["first_frame"] for count in (2, 400))
    assert few.score == many.score
    assert few.interval != many.interval


def test_a_missing_second_take_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"test-rigid-000000-v0-t0 .* has no take 2"):
        scores(write_split(tmp_path, takes=1))


def test_every_pair_is_counted(tmp_path: Path) -> None:
    counted: list[None] = []
    baseline_scores(write_split(tmp_path), size=256, seed=0, resamples=100, advance=lambda: counted.append(None))
    assert len(counted) == 3


def test_small_frames_are_enlarged_with_their_shape_and_large_ones_kept() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3), dtype=np.uint8)
    assert enlarge(frames, 256).shape == (2, 256, 384, 3)
    assert enlarge(frames, 32) is frames
    np.testing.assert_array_equal(enlarge(np.full_like(frames, 7), 256), 7)
