"""Heads and their rivals on clips whose depth and motion are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.clip import Clip
from components.evaluation.heads import HEAD_METRICS, Read, aligned, head_metrics, mean_depth, rivals
from components.index import read_index
from tests.evaluation.scenes import FRAMES, SIDE, WALL, Disc, disc_clip
from tests.evaluation.splits import write_split

DISC = Disc(centre=(20, 24), step=(3, 1), depth=4.0)
FLAT = np.full((SIDE, SIDE), WALL)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return disc_clip(DISC)


def figures(read: Read, clip: Clip) -> dict[str, float]:
    return dict(zip(HEAD_METRICS, head_metrics(read, clip).tolist(), strict=True))


def test_the_truth_has_no_error(clip: Clip) -> None:
    foreground = (clip.segmentation == 2).astype(np.float32)
    read = Read(depth=clip.depth, flow=clip.flow, depth_change=clip.depth_change, foreground=foreground)
    found = figures(read, clip)
    best = {"head_depth_delta1": 1, "head_foreground_iou": 1}
    for name, value in found.items():
        assert value == pytest.approx(best.get(name, 0), abs=1e-6), name


def test_what_was_not_read_is_not_measured(clip: Clip) -> None:
    assert np.isnan(head_metrics(Read(), clip)).all()


@pytest.mark.parametrize(("scale", "within"), [(1.1, 1.0), (1.3, 0.0), (0.7, 0.0)])
def test_relative_error_is_the_scales_and_alignment_removes_it(clip: Clip, scale: float, within: float) -> None:
    found = figures(Read(depth=clip.depth * np.float32(scale)), clip)
    assert found["head_depth_absrel"] == pytest.approx(abs(scale - 1), rel=1e-5)
    assert found["head_foreground_absrel"] == pytest.approx(abs(scale - 1), rel=1e-5)
    assert found["head_depth_delta1"] == within
    assert found["head_depth_absrel_aligned"] == pytest.approx(0, abs=1e-6)


def test_alignment_undoes_any_scale_and_shift_of_disparity(clip: Clip) -> None:
    disparity = 0.3 / clip.depth + 0.05
    np.testing.assert_allclose(aligned(1 / disparity, clip.depth, clip.valid), clip.depth, rtol=1e-5)


def test_pixels_that_hit_nothing_do_not_count(clip: Clip) -> None:
    valid = np.zeros_like(clip.valid)
    valid[:, 20:30] = True
    wrong = np.where(valid, clip.depth, 1e3).astype(np.float32)
    found = figures(Read(depth=wrong), replace(clip, valid=valid))
    assert found["head_depth_absrel"] == found["head_foreground_absrel"] == 0


def test_the_foreground_error_is_that_of_the_objects(clip: Clip) -> None:
    depth = np.where(clip.segmentation == 2, clip.depth * 1.5, clip.depth).astype(np.float32)
    found = figures(Read(depth=depth), clip)
    assert found["head_foreground_absrel"] == pytest.approx(0.5)
    assert found["head_depth_absrel"] == pytest.approx(0.5 * (clip.segmentation == 2).mean(), rel=1e-5)


def test_flow_counts_where_the_point_is_visible(clip: Clip) -> None:
    visible = clip.visible.copy()
    visible[:, :, :32] = False
    flow = clip.flow.copy()
    flow[:, :, :32] += 100
    assert figures(Read(flow=flow), replace(clip, visible=visible))["head_flow_epe"] == 0


def test_a_foreground_twice_too_large_overlaps_by_half(clip: Clip) -> None:
    guess = np.stack([Disc(centre=DISC.centre, step=DISC.step, radius=7 * 2**0.5).pixels(t) for t in range(FRAMES)])
    assert figures(Read(foreground=guess.astype(np.float32)), clip)["head_foreground_iou"] == pytest.approx(
        0.5, abs=0.03
    )


def test_depth_that_ignores_its_own_motion_is_inconsistent() -> None:
    nearer = disc_clip(Disc(centre=(20, 24), step=(3, 1), depth_step=-0.1))
    consistent = figures(Read(depth=nearer.depth, flow=nearer.flow, depth_change=nearer.depth_change), nearer)
    forgetful = figures(Read(depth=nearer.depth, flow=nearer.flow, depth_change=0 * nearer.depth_change), nearer)
    assert consistent["head_depth_warp"] == pytest.approx(0, abs=1e-6)
    share = (nearer.segmentation == 2)[:-1][nearer.visible].mean()
    assert forgetful["head_depth_warp"] == pytest.approx(0.1 * share, rel=1e-3)
    assert forgetful["head_depth_change_error"] == pytest.approx(0.1, rel=1e-5)


@pytest.fixture(scope="module")
def rivals_found(clip: Clip) -> dict[str, dict[str, float]]:
    return {name: figures(read, clip) for name, read in rivals(clip, clip.rgb, FLAT).items()}


def test_each_is_measured_on_what_it_reads(rivals_found: dict[str, dict[str, float]]) -> None:
    for name, values in rivals_found.items():
        defined = {metric for metric, value in values.items() if np.isfinite(value)}
        assert all(("flow" in metric) == ("flow" in name) for metric in defined)
        assert defined


def test_no_motion_errs_by_the_speed(rivals_found: dict[str, dict[str, float]]) -> None:
    assert rivals_found["zero_flow"]["head_moving_flow_epe"] == pytest.approx(np.hypot(3, 1), rel=1e-5)


def test_optical_flow_is_better_than_none(rivals_found: dict[str, dict[str, float]]) -> None:
    assert rivals_found["dis_flow"]["head_moving_flow_epe"] < rivals_found["zero_flow"]["head_moving_flow_epe"] / 2


def test_the_first_depth_kept_is_right_where_nothing_moved(
    clip: Clip, rivals_found: dict[str, dict[str, float]]
) -> None:
    expected = np.mean(np.abs(clip.depth[:1] - clip.depth) / clip.depth)
    assert rivals_found["first_frame_depth"]["head_depth_absrel"] == pytest.approx(expected, rel=1e-5)


def test_the_mean_depth_knows_the_wall_and_no_object(rivals_found: dict[str, dict[str, float]]) -> None:
    assert rivals_found["dataset_mean_depth"]["head_foreground_absrel"] == pytest.approx(0.5)


def test_the_mean_depth_of_a_split_is_that_of_its_clips(tmp_path: Path) -> None:
    folder = write_split(tmp_path, configurations=3)
    found = mean_depth(folder, read_index(folder))
    assert found.shape == (SIDE, SIDE)
    assert found[0, 0] == WALL
    assert 4.0 < found[30, 30] < WALL  # the discs pass there
