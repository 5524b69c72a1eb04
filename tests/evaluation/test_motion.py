"""The judge's flow, its error, and depth that moves along with it."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluation.colours import NOTHING, find_objects, palette_of
from components.evaluation.motion import (
    depth_warp,
    end_point_errors,
    mean_where,
    object_depth_changes,
    optical_flow,
)
from components.geometry import pixel_grid
from tests.evaluation.scenes import FRAMES, SIDE, Disc, disc_clip

CAP = 1.5  # metres
NONE = np.zeros((FRAMES - 1, 1), np.int64)  # is lost


def texture() -> NDArray[np.uint8]:
    grain = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    return cv2.GaussianBlur(grain, (0, 0), 2).astype(np.uint8)


class TestOpticalFlow:
    @pytest.mark.parametrize("shift", [(0, 0), (2, 0), (-1, 3)])
    def test_a_picture_that_is_moved_flows_as_far(self, shift: tuple[int, int]) -> None:
        across, down = shift
        frames = np.stack([np.roll(texture(), (down * t, across * t), (0, 1)) for t in range(3)])[:, 16:80, 16:80]
        inside = optical_flow(frames)[:, 8:-8, 8:-8]
        np.testing.assert_allclose(np.median(inside, axis=(0, 1, 2)), shift, atol=0.1)

    def test_large_frames_are_not_enlarged(self) -> None:
        frames = np.stack([np.roll(cv2.resize(texture(), (256, 192)), 4 * t, 1) for t in range(2)])
        flow = optical_flow(frames.astype(np.uint8))
        assert flow.shape == (1, 192, 256, 2)
        np.testing.assert_allclose(np.median(flow[0, 32:-32, 32:-32], axis=(0, 1)), (4, 0), atol=0.1)


def test_the_end_point_error_is_the_distance_of_the_ends() -> None:
    truth = np.zeros((2, 4, 4, 2), np.float32)
    flow = truth + np.array([3, 4], np.float32)
    here = np.zeros((2, 4, 4), np.bool_)
    assert np.isnan(mean_where(end_point_errors(flow, truth), here))
    here[0, 1] = True
    assert mean_where(end_point_errors(flow, truth), here) == 5


def test_depth_changes_are_the_visible_points_mean() -> None:
    clip = disc_clip(Disc(depth_step=0.05, gone=6))
    changes = object_depth_changes(clip, np.array([2]))
    np.testing.assert_allclose(changes[:5, 0], 0.05, rtol=1e-6)
    assert np.isnan(changes[6:, 0]).all()


class TestDepthWarp:
    def warp(self, disc: Disc, *, depth: NDArray[np.float32] | None = None) -> float:
        clip = disc_clip(disc)
        palette = palette_of(clip)
        return depth_warp(
            clip.depth if depth is None else depth,
            clip.flow,
            find_objects(clip.rgb, palette).labels,
            object_depth_changes(clip, palette.ids),
            lost=NONE,
            cap=CAP,
        )

    def test_a_disc_that_moves_across_leaves_nothing(self) -> None:
        assert self.warp(Disc()) == 0

    def test_a_tilted_plane_that_moves_across_leaves_nothing(self) -> None:
        """z = a + b (u - speed t): what is at p in frame t has the same depth at p + speed in t + 1."""
        u = pixel_grid(SIDE, SIDE)[..., 0]
        depth = np.stack([4 + 0.01 * (u - 2 * t) for t in range(FRAMES)]).astype(np.float32)
        flow = np.zeros((FRAMES - 1, SIDE, SIDE, 2), np.float32)
        flow[..., 0] = 2
        labels = np.zeros((FRAMES, SIDE, SIDE), np.int64)
        assert depth_warp(depth, flow, labels, np.zeros((FRAMES - 1, 1)), lost=NONE, cap=CAP) == pytest.approx(
            0, abs=1e-6
        )
        assert depth_warp(depth, 0 * flow, labels, np.zeros((FRAMES - 1, 1)), lost=NONE, cap=CAP) == pytest.approx(
            0.02, rel=1e-4
        )

    def test_a_disc_that_comes_nearer_as_it_should_leaves_nothing(self) -> None:
        assert self.warp(Disc(depth_step=-0.1)) == pytest.approx(0, abs=1e-6)

    def test_standing_still_pays_for_the_motion_it_lacks(self) -> None:
        moving = disc_clip(Disc(depth_step=-0.1))
        still = np.repeat(moving.depth[:1], FRAMES, axis=0)
        labels = find_objects(np.repeat(moving.rgb[:1], FRAMES, axis=0), palette_of(moving)).labels
        changes = object_depth_changes(moving, np.array([2]))
        assert depth_warp(still, 0 * moving.flow, labels, changes, lost=NONE, cap=CAP) == pytest.approx(0.1)

    def test_the_more_depth_flickers_the_worse(self) -> None:
        clip = disc_clip(Disc())
        sign = np.where(np.arange(FRAMES) % 2, 1, -1)[:, None, None]
        found = [self.warp(Disc(), depth=(clip.depth + size * sign).astype(np.float32)) for size in (0, 0.02, 0.1, 0.3)]
        np.testing.assert_allclose(found, [0, 0.04, 0.2, 0.6], atol=1e-6)
        assert all(one < other for one, other in pairwise(found))

    def test_what_ends_at_an_outline_or_outside_does_not_count(self) -> None:
        """The wall is 2 m behind: one pixel of it would be seen in the mean."""
        assert self.warp(Disc(step=(7, 0))) == 0

    def test_residuals_are_cut(self) -> None:
        sign = np.where(np.arange(FRAMES) % 2, 1, -1)[:, None, None]
        assert self.warp(Disc(), depth=(disc_clip(Disc()).depth + 3 * sign).astype(np.float32)) == CAP

    def test_an_object_that_truth_hides_leaves_nothing_to_measure(self) -> None:
        assert np.isnan(self.warp(Disc(gone=1)))

    def test_an_object_that_is_lost_costs_the_cap_in_each_of_its_pixels(self) -> None:
        """Two steps of 100 pixels are measured and are right, six are lost."""
        labels = np.full((FRAMES, SIDE, SIDE), NOTHING)
        labels[:3, 10:21, 10:21] = 0  # 11 x 11: all but the last row and column have four pixels of their object
        lost = np.array([0, 0, 100, 100, 100, 100, 100, 100])[:, None]
        depth, flow = np.full(labels.shape, 4, np.float32), np.zeros((FRAMES - 1, SIDE, SIDE, 2), np.float32)
        found = depth_warp(depth, flow, labels, np.zeros((FRAMES - 1, 1)), lost=lost, cap=0.5)
        assert found == pytest.approx(0.5 * 600 / 800)

    def test_where_nothing_moves_it_is_not_defined(self) -> None:
        labels = np.zeros((FRAMES, SIDE, SIDE), np.int64)
        depth, flow = np.full(labels.shape, 4, np.float32), np.zeros((FRAMES - 1, SIDE, SIDE, 2), np.float32)
        assert np.isnan(depth_warp(depth, flow, labels, np.zeros((FRAMES - 1, 1)), lost=NONE, cap=0))
