"""Optical and scene flow: formulas, and numbers of public evaluations for the same arrays."""

import numpy as np
import pytest

from components.evaluation.consistency.flow import (
    flow_errors,
    flow_errors_by_kind,
    scene_flow,
    scene_flow_errors,
)

T, H, W = 3, 12, 16
FRAME, V, U = np.meshgrid(np.arange(T), np.arange(H), np.arange(W), indexing="ij")
FLOW = np.stack([3 * np.sin(0.4 * U + 0.1 * FRAME), 90 * np.cos(0.5 * V) * (U > 8)], -1)
ERROR = np.stack([5 * np.sin(0.9 * V + 0.2 * U), 4 * np.cos(0.8 * U + FRAME)], -1)
WHERE = (U + V) % 3 > 0
ALL = np.ones((T, H, W), np.bool_)


def test_epe_and_fl_are_those_of_kitti() -> None:
    """As RAFT's evaluation of KITTI (commit 356b67b) gives them."""
    found = flow_errors(FLOW + ERROR, FLOW, WHERE)
    assert found is not None
    assert found.epe == pytest.approx(4.325743335854884, rel=1e-12)
    assert 100 * found.fl == pytest.approx(78.90625)


def test_scene_flow_is_measured_as_flot_does() -> None:
    truth = np.stack([0.3 * np.sin(0.4 * U), 0.8 * np.cos(0.3 * V), 0.02 * (FRAME + U)], -1)
    error = np.stack([0.09 * np.sin(0.9 * U + V), 0.05 * np.cos(0.7 * V), 0.04 * np.sin(FRAME + V)], -1)
    found = scene_flow_errors(truth + error, truth, ALL)
    assert found is not None
    assert found.epe3d == pytest.approx(0.07536094715848568, rel=1e-9)
    assert found.strict == pytest.approx(0.1388888888888889)
    assert found.relaxed == pytest.approx(0.8819444444444444)


@pytest.mark.parametrize(
    ("length", "error", "outlier"), [(10.0, 2.9, 0), (10.0, 3.1, 1), (100.0, 4.9, 0), (100.0, 5.1, 1)]
)
def test_an_outlier_is_three_pixels_and_five_percent_away(length: float, error: float, outlier: int) -> None:
    truth = np.full((1, 2, 2, 2), (length, 0))
    found = flow_errors(truth + np.array([0, error]), truth, ALL[:1, :2, :2])
    assert found is not None
    assert [found.epe, found.one_pixel, found.fl] == pytest.approx([error, 1.0, outlier])


def test_each_pixel_is_of_one_kind() -> None:
    visible, dynamic = V < 8, U < 5
    error = np.where(~visible, 3.0, np.where(dynamic, 2.0, 1.0))[..., None] * np.array([0.6, 0.8])
    kinds = flow_errors_by_kind(FLOW + error, FLOW, visible=visible, dynamic=dynamic)
    assert {kind: round(found.epe, 9) for kind, found in kinds.items() if found} == {
        "static": 1.0,
        "dynamic": 2.0,
        "occluded": 3.0,
    }


def test_a_vector_that_is_not_finite_is_as_far_as_the_picture_is_wide() -> None:
    found = flow_errors(np.full_like(FLOW, np.nan), FLOW, ALL)
    assert found is not None
    assert (found.epe, found.fl) == (np.hypot(H, W), 1.0)


def test_nowhere_is_nothing_to_measure() -> None:
    assert flow_errors(FLOW, FLOW, ~ALL) is None
    assert scene_flow_errors(np.zeros((T, H, W, 3)), np.zeros((T, H, W, 3)), ~ALL) is None


def test_scene_flow_of_a_plane_is_its_motion_from_any_camera() -> None:
    """4 m away, focal length 20: 2 px across are .4 m; the camera looks along world y."""
    camera = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    intrinsics = np.array([[20.0, 0, 3.5], [0, 20.0, 3.5], [0, 0, 1]])
    flow = np.full((1, 8, 8, 2), (2.0, 0.0))
    found = scene_flow(np.full((2, 8, 8), 4.0), flow, np.zeros((1, 8, 8)), intrinsics, np.stack([camera] * 2))
    np.testing.assert_allclose(found, np.broadcast_to((0.4, 0, 0), found.shape), atol=1e-12)
    away = scene_flow(np.full((2, 8, 8), 4.0), 0 * flow, np.full((1, 8, 8), 0.5), intrinsics, np.stack([camera] * 2))
    np.testing.assert_allclose(away[..., 1], 0.5)
