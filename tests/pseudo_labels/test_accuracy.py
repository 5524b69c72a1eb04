"""Errors of labels against formulas."""

import numpy as np
import pytest

from components.pseudo_labels.accuracy import absolute_relative_error, align_disparity, end_point_error

DEPTH = np.random.default_rng(0).uniform(2, 30, (3, 8, 8)).astype(np.float32)
EVERYWHERE = np.ones_like(DEPTH, dtype=np.bool_)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (7.0, -3.0), (-0.2, 5.0)])
def test_any_affine_disparity_aligns_to_the_truth(scale: float, shift: float) -> None:
    aligned = align_disparity(scale / DEPTH + shift, DEPTH, EVERYWHERE)
    np.testing.assert_allclose(aligned, DEPTH, rtol=1e-4)


def test_alignment_looks_at_valid_pixels_alone() -> None:
    disparity = 1 / DEPTH
    disparity[0, 0] = 100.0
    valid = EVERYWHERE.copy()
    valid[0, 0] = False
    np.testing.assert_allclose(align_disparity(disparity, DEPTH, valid)[valid], DEPTH[valid], rtol=1e-4)


def test_what_is_too_far_becomes_the_farthest_depth() -> None:
    valid = EVERYWHERE.copy()
    valid[0] = False
    disparity = 1 / DEPTH
    disparity[0] = -1.0
    assert align_disparity(disparity, DEPTH, valid)[0].max() == pytest.approx(DEPTH[1:].max(), rel=1e-5)


def test_a_constant_disparity_is_the_mean_disparity() -> None:
    aligned = align_disparity(np.zeros_like(DEPTH), DEPTH, EVERYWHERE)
    np.testing.assert_allclose(aligned, 1 / (1 / DEPTH.astype(np.float64)).mean())


def test_relative_error_is_relative_to_the_truth() -> None:
    assert absolute_relative_error(DEPTH * 1.1, DEPTH, EVERYWHERE) == pytest.approx(0.1, rel=1e-4)


def test_the_end_point_error_is_a_distance() -> None:
    truth = np.zeros((2, 4, 4, 2), np.float32)
    np.testing.assert_allclose(end_point_error(truth + np.array([3, 4]), truth), 5.0)
