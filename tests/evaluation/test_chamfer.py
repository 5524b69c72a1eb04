"""4D Chamfer on point sets whose distances are known."""

from itertools import pairwise

import numpy as np
import pytest

from components.evaluation.chamfer import (
    CAP,
    POINTS,
    chamfer_4d,
    dynamic_pixels,
    frame_chamfer,
    moving_points,
    points_of,
    thin,
)
from tests.evaluation.scenes import FOCAL, FRAMES, Disc, disc_clip

CLOUD = np.stack(np.meshgrid(*[np.arange(5.0)] * 3), axis=-1).reshape(-1, 3)  # a metre apart
NOTHING = np.empty((0, 3))


def test_a_set_against_itself_is_zero() -> None:
    assert frame_chamfer(CLOUD, CLOUD, cap=1) == 0


def test_a_shift_below_half_the_spacing_is_the_distance() -> None:
    assert frame_chamfer(CLOUD + np.array([0.3, 0, 0]), CLOUD, cap=10) == pytest.approx(0.3)


def test_the_two_directions_are_averaged() -> None:
    one, other = np.zeros((1, 3)), np.array([[0.0, 0, 0], [2.0, 0, 0]])
    assert frame_chamfer(one, other, cap=10) == pytest.approx((0 + (0 + 2) / 2) / 2)
    assert frame_chamfer(other, one, cap=10) == frame_chamfer(one, other, cap=10)


def test_distances_end_at_the_cap() -> None:
    assert frame_chamfer(CLOUD + 100, CLOUD, cap=2.5) == pytest.approx(2.5)


def test_nothing_against_something_is_the_cap_and_nothing_against_nothing_agrees() -> None:
    assert frame_chamfer(NOTHING, CLOUD, cap=2.5) == frame_chamfer(CLOUD, NOTHING, cap=2.5) == 2.5
    assert frame_chamfer(NOTHING, NOTHING, cap=2.5) == 0


def test_points_are_thinned_evenly_and_small_sets_kept() -> None:
    many = np.arange(3 * 1000.0).reshape(-1, 3)
    assert thin(many[:POINTS]) is not None
    assert len(thin(many[:POINTS])) == len(thin(many)) == POINTS
    np.testing.assert_array_equal(thin(many)[[0, -1]], many[[0, -1]])


class TestOfAClip:
    clip = disc_clip(Disc(centre=(20, 24), step=(2, 1), depth=4.0))

    def test_the_truth_against_itself_is_zero(self) -> None:
        truth = moving_points(self.clip)
        assert chamfer_4d(points_of(self.clip.depth, dynamic_pixels(self.clip), self.clip), truth) == 0

    def test_the_diameter_is_that_of_what_the_objects_sweep(self) -> None:
        disc = 2 * 7 * 4.0 / FOCAL
        moved = (FRAMES - 1) * 4.0 / FOCAL
        assert moving_points(self.clip).diameter == pytest.approx(np.hypot(disc + 2 * moved, disc + moved))

    def test_points_that_lie_deeper_are_as_far_as_the_depth_says(self) -> None:
        """Behind the disc by .1 m, the rays spread by a fortieth: next to nothing beside it."""
        found = points_of(self.clip.depth + np.float32(0.1), dynamic_pixels(self.clip), self.clip)
        assert chamfer_4d(found, moving_points(self.clip)) == pytest.approx(0.1, rel=0.05)

    def test_a_vanished_object_is_as_far_as_anything_can_be(self) -> None:
        truth = moving_points(self.clip)
        nothing = np.zeros_like(dynamic_pixels(self.clip))
        assert chamfer_4d(points_of(self.clip.depth, nothing, self.clip), truth) == pytest.approx(CAP * truth.diameter)

    def test_the_first_frame_is_not_measured(self) -> None:
        found = list(points_of(self.clip.depth, dynamic_pixels(self.clip), self.clip))
        found[0] = found[0] + 100
        assert chamfer_4d(found, moving_points(self.clip)) == 0

    def test_frames_are_locked_in_time(self) -> None:
        found = points_of(self.clip.depth, dynamic_pixels(self.clip), self.clip)
        late = [
            chamfer_4d((*found[:1] * delay, *found[: FRAMES - delay]), moving_points(self.clip)) for delay in range(5)
        ]
        assert late[0] == 0
        assert all(sooner < later for sooner, later in pairwise(late))

    def test_without_moving_objects_it_is_not_defined(self) -> None:
        still = disc_clip(Disc(dynamic=False))
        assert np.isnan(chamfer_4d([NOTHING] * FRAMES, moving_points(still)))
