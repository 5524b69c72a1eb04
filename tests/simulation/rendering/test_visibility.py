"""Visibility by rays, against every ray on every triangle (Moller-Trumbore in numpy, float64)."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from components.geometry import pixel_grid, unproject
from components.simulation.rendering.renderer import render
from components.simulation.scene import FloatArray, Motion, Scene
from tests.simulation.rendering.scenes import box, camera, floor, moving_camera, poses, scene, sphere, tumbling
from tests.simulation.rendering.test_flow import orbit


def nearest(origin: FloatArray, directions: FloatArray, triangles: FloatArray, slack: float) -> FloatArray:
    """Parameter (R,) of the nearest triangle (F,3,3) on each ray (R,3), infinity without one; `slack` widens them."""
    a, one, two = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    across = np.cross(directions[:, None], two)
    determinant = (one * across).sum(-1)
    from_a = origin - a
    with np.errstate(divide="ignore", invalid="ignore"):
        u = (from_a * across).sum(-1) / determinant
        turned = np.cross(from_a, one)
        v = (directions[:, None] * turned).sum(-1) / determinant
        t = (two * turned).sum(-1) / determinant
        hit = (u >= -slack) & (v >= -slack) & (u + v <= 1 + slack) & (t > 0)
    return np.asarray(np.where(hit, t, np.inf).min(axis=1), np.float64)


def brute_visible(made: Scene, motion: Motion, t: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Visibility (H,W) at t+1 of what is seen at t, and where that is beyond doubt."""
    view = made.camera
    rendering = render(made, motion, samples_per_pixel=1)
    grid = pixel_grid(view.height, view.width)
    origin = -view.extrinsics[t + 1, :3, :3].T @ view.extrinsics[t + 1, :3, 3]
    landed = grid + rendering.flow[t]
    z = np.where(rendering.valid[t], rendering.depth[t] + rendering.depth_change[t], 1.0)
    towards = unproject(landed, z, view.intrinsics, view.extrinsics[t + 1]) - origin
    triangles = motion.vertices[t + 1][motion.faces]
    bounds = [nearest(origin, towards.reshape(-1, 3), triangles, slack) for slack in (1e-4, -1e-4)]
    reach = np.where(rendering.valid[t], 1.0, 100.0).ravel()
    readings = [bound > share * reach for bound in bounds for share in (1 - 3e-4, 1 - 3e-5)]
    in_frame = (landed >= -0.5).all(-1) & (landed < [view.width - 0.5, view.height - 0.5]).all(-1)
    seen = (readings[0].reshape(in_frame.shape)) & in_frame
    certain = np.all([reading == readings[0] for reading in readings], axis=0).reshape(in_frame.shape)
    np.testing.assert_array_equal(rendering.visible[t][certain], seen[certain])
    return seen, certain


def test_visibility_agrees_with_every_triangle_under_a_still_camera() -> None:
    made, motion = tumbling((32, 40), frames=8, rings=8)
    motion = replace(motion, vertices=motion.vertices[::7], normals=motion.normals[::7])
    made = replace(made, camera=camera((32, 40), frames=2))
    seen, certain = brute_visible(made, motion, 0)
    assert certain.mean() > 0.97
    assert 0.02 < 1 - seen.mean() < 0.5


@pytest.mark.parametrize("t", [0, 1])
def test_visibility_agrees_with_every_triangle_under_a_moving_camera(t: int) -> None:
    made, motion = tumbling((32, 40), frames=3, rings=8)
    made = replace(made, camera=moving_camera((32, 40), orbit(3)))
    seen, certain = brute_visible(made, motion, t)
    assert certain.mean() > 0.97
    assert 0.005 < 1 - seen.mean() < 0.5


def test_what_a_ball_comes_to_hide_is_not_visible_and_what_it_leaves_is() -> None:
    view = camera(frames=2)
    ball = sphere(0.4, poses([[-0.6, 0, 0.4], [0.6, 0, 0.4]]))
    rendering = render(*scene([floor(), ball], view), samples_per_pixel=1)
    hidden = (rendering.segmentation[1] == 2) & (rendering.segmentation[0] != 2)
    away = (rendering.segmentation[0] != 2) & (rendering.segmentation[1] != 2)
    assert not rendering.visible[0][hidden].any()
    assert rendering.visible[0][away].all()
    assert rendering.visible[0][rendering.segmentation[0] == 2].mean() > 0.9


def test_the_far_side_of_a_turning_box_hides_itself() -> None:
    view = camera(frames=2, eye=(0, -5, 0.4), target=(0, 0, 0.4))
    spun = box((0.4, 0.4, 0.4), poses([[0, 0, 0.4], [0, 0, 0.4]], np.array([[0, 0, 0], [0, 0, np.pi]])))
    rendering = render(*scene([spun], view), samples_per_pixel=1)
    front = rendering.segmentation[0] == 2
    assert front.any()
    assert not rendering.visible[0][front].any()
