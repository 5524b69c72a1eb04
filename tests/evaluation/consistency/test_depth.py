"""AbsRel, delta1, alignment in disparity and in time: formulas, and the public implementation's numbers."""

import numpy as np
import pytest
import torch

from components.evaluation.consistency.alignment import moving_alignment_error, temporal_alignment_error
from components.evaluation.consistency.arrays import Floats, MeasureError
from components.evaluation.consistency.depth import abs_rel, aligned, delta1, disparity_of

T, H, W = 4, 12, 16
FRAME, V, U = np.meshgrid(np.arange(T), np.arange(H), np.arange(W), indexing="ij")
TRUTH = 4 + np.sin(0.7 * U + 0.3 * FRAME) + 0.5 * np.cos(0.9 * V - 0.2 * FRAME)
TRUTH[1, 2:5, 3:7] = 0  # not measured
VALID = TRUTH > 0
DISPARITY = 3 / (TRUTH + 1.4 * np.sin(U * V * 0.31 + FRAME) + np.where(VALID, 0, 4)) + 0.2
INTRINSICS = np.array([[14.0, 0, 7.5], [0, 14.0, 5.5], [0, 0, 1]])
ALL = np.ones((2, 3, 3), np.bool_)


def poses() -> Floats:
    """World to camera (T,4,4) of a camera that turns and goes on."""
    turn = 0.03 * np.arange(T)
    to_world = np.tile(np.eye(4), (T, 1, 1))
    to_world[:, 0, 0] = to_world[:, 2, 2] = np.cos(turn)
    to_world[:, 0, 2], to_world[:, 2, 0] = np.sin(turn), -np.sin(turn)
    to_world[:, :3, 3] = np.outer(np.arange(T), (0.05, 0.02, 0.1))
    return np.asarray(np.linalg.inv(to_world), np.float64)


class TestAgainstVideoDepthAnything:
    """Numbers that its benchmark (commit 4f5ae23) gives for the same arrays."""

    fitted = aligned(DISPARITY, TRUTH, VALID)

    def test_absrel_and_delta1_after_one_scale_and_shift(self) -> None:
        assert abs_rel(self.fitted, TRUTH, VALID) == pytest.approx(0.13344270149476134, rel=1e-6)
        assert delta1(self.fitted, TRUTH, VALID) == pytest.approx(0.8665798902511597, rel=1e-6)

    def test_temporal_alignment_error(self) -> None:
        found = temporal_alignment_error(self.fitted, np.ones_like(VALID), INTRINSICS, poses())
        assert found is not None
        assert 100 * found == pytest.approx(8.50965756536776, rel=1e-6)


def test_ten_percent_too_far_is_an_absrel_of_a_tenth() -> None:
    assert abs_rel(1.1 * TRUTH, TRUTH, VALID) == pytest.approx(0.1)
    assert delta1(1.1 * TRUTH, TRUTH, VALID) == 1


@pytest.mark.parametrize("factor", [0.79, 1.26])
def test_delta1_ends_at_a_quarter_either_way(factor: float) -> None:
    assert delta1(factor * TRUTH, TRUTH, VALID) == 0


def test_any_scale_and_shift_of_disparity_are_found() -> None:
    found = aligned(7 * disparity_of(np.where(VALID, TRUTH, 1)) - 0.3, TRUTH, VALID)
    np.testing.assert_allclose(found[VALID], TRUTH[VALID], rtol=1e-9)


def test_tensors_are_measured_as_arrays_are() -> None:
    tensors = (torch.tensor(1.1 * TRUTH, requires_grad=True), torch.tensor(TRUTH), torch.tensor(VALID))
    assert abs_rel(*tensors) == abs_rel(1.1 * TRUTH, TRUTH, VALID)
    assert abs_rel(tensors[0].to(torch.bfloat16), *tensors[1:]) == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0, -1.0])
def test_a_depth_that_is_none_is_as_wrong_as_nothing_seen(bad: float) -> None:
    truth = np.full((2, 3, 3), 2.0)
    depth = truth.copy()
    depth[0, 0] = bad
    assert abs_rel(depth, truth, ALL) == pytest.approx((3 / 9 + 0) / 2)
    assert delta1(depth, truth, ALL) == pytest.approx((6 / 9 + 1) / 2)


def test_no_valid_pixel_is_nothing_to_measure() -> None:
    assert abs_rel(TRUTH, TRUTH, np.zeros_like(VALID)) is None
    assert delta1(TRUTH, TRUTH, np.zeros_like(VALID)) is None
    np.testing.assert_array_equal(aligned(DISPARITY, TRUTH, np.zeros_like(VALID)), 100)


def test_the_same_disparity_everywhere_is_fitted_by_a_mean() -> None:
    found = aligned(np.ones_like(TRUTH), TRUTH, VALID)
    np.testing.assert_allclose(found, 1 / (1 / TRUTH[VALID]).mean())


def test_other_sizes_and_a_truth_that_is_not_finite_are_errors_that_name_the_array() -> None:
    with pytest.raises(MeasureError, match=r"depth has shape \(3, 12, 16\), expected \(4, 12, 16\)"):
        abs_rel(TRUTH[1:], TRUTH, VALID)
    with pytest.raises(MeasureError, match=r"truth\[0, 1, 2\] is nan"):
        abs_rel(TRUTH, np.where((FRAME == 0) & (V == 1) & (U == 2), np.nan, TRUTH), VALID)


class TestMovingAlignmentError:
    depth = np.full((3, 8, 8), 4.0)
    flow = np.full((2, 8, 8, 2), (1.0, 0.0))
    change = np.zeros((2, 8, 8))
    where = np.ones((2, 8, 8), np.bool_)

    def test_a_plane_that_moves_across_has_none(self) -> None:
        assert moving_alignment_error(self.depth, self.flow, self.change, self.where) == 0

    def test_depth_that_does_not_follow_is_what_it_lacks(self) -> None:
        assert moving_alignment_error(self.depth, self.flow, self.change + 1, self.where) == pytest.approx(1 / 5)

    def test_of_points_on_one_pixel_the_nearest_counts(self) -> None:
        """Columns 0 (at 2 m) and 1 (at 4 m) both end on column 1, where 2 m is found."""
        depth, flow = np.full((2, 1, 2), 4.0), np.zeros((1, 1, 2, 2))
        depth[0, 0, 0], depth[1, 0, 1], flow[0, 0, 0, 0] = 2.0, 2.0, 1.0
        assert moving_alignment_error(depth, flow, np.zeros((1, 1, 2)), np.ones((1, 1, 2), np.bool_)) == 0

    def test_only_points_that_end_on_their_own_object_count(self) -> None:
        depth, ids = self.depth.copy(), np.full(self.depth.shape, 2)
        depth[1:, :, 4:], ids[1:, :, 4:] = 9.0, 1
        assert moving_alignment_error(depth, self.flow, self.change, self.where, segmentation=ids) == 0
        assert moving_alignment_error(depth, self.flow, self.change, self.where) != 0

    def test_nothing_that_moves_and_one_frame_are_nothing_to_measure(self) -> None:
        assert moving_alignment_error(self.depth, self.flow, self.change, ~self.where) is None
        assert moving_alignment_error(self.depth[:1], self.flow[:0], self.change[:0], self.where[:0]) is None
        assert temporal_alignment_error(self.depth[:1], self.where[:1], INTRINSICS, np.eye(4)[None]) is None
