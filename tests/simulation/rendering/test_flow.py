"""Motion of what every pixel sees, against closed forms and against the rigid motion that the scene was given."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from components.geometry import pixel_grid, project, unproject
from components.simulation.rendering.renderer import Rendering, render
from components.simulation.scene import FloatArray, Motion, Scene
from tests.simulation.rendering.scenes import (
    box,
    camera,
    floor,
    look_at,
    moving_camera,
    poses,
    scene,
    sphere,
    tumbling,
)


def rigid_flow(scene: Scene, motion: Motion, rendering: Rendering, t: int) -> tuple[FloatArray, FloatArray]:
    """Flow and depth change that poses, depth and ids alone imply: no triangle is asked."""
    view = scene.camera
    grid = pixel_grid(view.height, view.width)
    points = unproject(grid, rendering.depth[t], view.intrinsics, view.extrinsics[t])
    for column in range(motion.poses.shape[1]):
        here, there = motion.poses[t, column], motion.poses[t + 1, column]
        own = rendering.segmentation[t] == column + 2
        body = Rotation.from_quat(here[3:]).inv().apply(points[own] - here[:3])
        points[own] = Rotation.from_quat(there[3:]).apply(body) + there[:3]
    pixels, z = project(points, view.intrinsics, view.extrinsics[t + 1])
    return pixels - grid, z - rendering.depth[t]


def orbit(frames: int) -> FloatArray:
    angles = np.linspace(0.0, 0.25, frames)
    return np.stack([look_at((5 * np.sin(a), -5 * np.cos(a), 1.6 + a), (0, 0, 0.6)) for a in angles])


@pytest.mark.parametrize("size", [(48, 64), (128, 160)])
def test_flow_is_the_rigid_motion_under_a_moving_camera(size: tuple[int, int]) -> None:
    made, motion = tumbling(size, frames=4)
    made = replace(made, camera=moving_camera(size, orbit(4)))
    rendering = render(made, motion, samples_per_pixel=1)
    for t in range(3):
        seen = rendering.valid[t] & (rendering.depth[t] < 20)
        flow, change = rigid_flow(made, motion, rendering, t)
        assert np.abs(rendering.flow[t] - flow)[seen].max() < 1e-4
        assert np.abs(rendering.depth_change[t] - change)[seen].max() < 1e-5


def test_what_stands_still_under_a_still_camera_reprojects_onto_its_pixel() -> None:
    rendering = render(*tumbling((96, 96), frames=3), samples_per_pixel=1)
    still = rendering.segmentation[:-1] == 1
    assert np.abs(rendering.flow[still]).max() < 1e-4
    assert np.abs(rendering.depth_change[still]).max() < 1e-5


def test_flow_of_a_wall_that_slides_is_focal_length_times_step_over_depth() -> None:
    view = camera(frames=2, eye=(0, -5, 1), target=(0, 0, 1))
    wall = box((9.0, 0.5, 9.0), poses([[0, 0.5, 1], [0.02, 0.5, 1.01]]))
    rendering = render(*scene([wall], view), samples_per_pixel=1)
    focal = view.intrinsics[0, 0]
    np.testing.assert_allclose(rendering.flow[0, ..., 0], focal * 0.02 / 5, atol=1e-5)
    np.testing.assert_allclose(rendering.flow[0, ..., 1], -focal * 0.01 / 5, atol=1e-5)


def test_sky_moves_by_the_homography_of_a_camera_that_turns() -> None:
    first = look_at((0, -5, 1.5), (0, 0, 2.5))
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec([0.02, 0.05, -0.03]).as_matrix()
    view = moving_camera((48, 64), np.stack([first, turn @ first]))
    rendering = render(*scene([floor()], view), samples_per_pixel=1)
    homography = view.intrinsics @ turn[:3, :3] @ np.linalg.inv(view.intrinsics)
    grid = pixel_grid(48, 64)
    moved = np.concatenate([grid, np.ones((48, 64, 1))], axis=-1) @ homography.T
    truth = moved[..., :2] / moved[..., 2:] - grid
    sky = ~rendering.valid[0]
    assert sky.sum() > 500
    assert np.abs(rendering.flow[0] - truth)[sky].max() < 1e-4
    assert (rendering.depth_change[0][sky] == 0).all()


def test_points_that_leave_the_picture_are_not_visible() -> None:
    view = camera(frames=2, eye=(0, -5, 1), target=(0, 0, 1))
    wall = box((9.0, 0.5, 9.0), poses([[0, 0.5, 1], [1.0, 0.5, 1]]))
    rendering = render(*scene([wall], view), samples_per_pixel=1)
    landed = pixel_grid(48, 64)[..., 0] + rendering.flow[0, ..., 0]
    np.testing.assert_array_equal(rendering.visible[0], landed < 63.5)
    assert 0.5 < rendering.visible[0].mean() < 0.9


def test_points_behind_the_next_camera_are_not_visible_and_finite() -> None:
    view = moving_camera((48, 64), np.stack([look_at((0, -5, 0.5), (0, 0, 0.4)), look_at((0, 5, 0.5), (0, 9, 0.4))]))
    rendering = render(*scene([floor(), sphere(0.4, poses([0, 0, 0.4]))], view), samples_per_pixel=1)
    ball = rendering.segmentation[0] == 2
    assert ball.any()
    assert not rendering.visible[0][ball].any()
    assert (rendering.flow[0][ball] == 0).all()
    assert np.isfinite(rendering.depth_change).all()
