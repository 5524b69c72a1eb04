"""Depth, its change, and identity, against closed forms."""

import numpy as np
import pytest

from components.geometry import pixel_grid, project, unproject
from components.simulation.rendering.renderer import Rendering, render
from components.simulation.scene import Camera, FloatArray
from tests.simulation.rendering.pixels import away_from_edges
from tests.simulation.rendering.scenes import box, camera, floor, look_at, poses, scene, sphere, tumbling


def rays(view: Camera, frame: int = 0) -> tuple[FloatArray, FloatArray]:
    """Origin and directions (H,W,3) whose parameter is z-depth."""
    origin = -view.extrinsics[frame, :3, :3].T @ view.extrinsics[frame, :3, 3]
    ends = unproject(
        pixel_grid(view.height, view.width), np.ones((view.height, view.width)), view.intrinsics, view.extrinsics[frame]
    )
    return origin, ends - origin


def test_depth_of_the_ground_is_that_of_a_plane() -> None:
    view = camera((72, 96), frames=2)
    rendering = render(*scene([floor()], view), samples_per_pixel=1)
    origin, directions = rays(view)
    truth = -origin[2] / directions[..., 2]
    ground = rendering.valid[0]
    error = np.abs(rendering.depth[0] - truth)[ground]
    assert np.median(error) < 1e-6
    assert error.max() < 1e-4  # near the horizon, 25 m away


def test_depth_of_a_fine_ball_is_that_of_a_sphere() -> None:
    view = camera((96, 96), frames=2, eye=(0, -2, 0.6), target=(0, 0, 0.6))
    rendering = render(*scene([sphere(0.5, poses([0, 0, 0.6]), rings=384)], view), samples_per_pixel=1)
    origin, directions = rays(view)
    to_centre = np.array([0, 0, 0.6]) - origin
    along = directions @ to_centre
    square = (directions**2).sum(-1)
    discriminant = along**2 - square * (to_centre @ to_centre - 0.25)
    inside = rendering.valid[0] & away_from_edges(rendering.segmentation[0])
    truth = (along - np.sqrt(np.maximum(discriminant, 0))) / square
    error = np.abs(rendering.depth[0] - truth)[inside]
    assert inside.sum() > 1000
    assert np.median(error) < 1e-5  # of it 6e-6 by the mesh: radius (1 - cos(pi / 768))


def test_no_hit_is_the_far_plane_and_not_valid() -> None:
    rendering = render(*scene([floor()], camera(frames=2)), samples_per_pixel=1)
    sky = ~rendering.valid
    assert sky.any()
    assert (rendering.depth[sky] == 100.0).all()
    assert (rendering.segmentation[sky] == 0).all()
    assert (rendering.depth_change[sky[:-1]] == 0.0).all()


def test_a_surface_beyond_the_far_plane_is_not_hit() -> None:
    view = camera(frames=2, eye=(0, -5, 1.5), target=(0, 0, 1.5))
    rendering = render(*scene([floor(half=500.0)], view), samples_per_pixel=1)
    assert rendering.depth.max() == 100.0
    assert (rendering.depth[rendering.valid] < 100.0).all()


def test_depth_change_of_an_approaching_wall_is_its_step() -> None:
    view = camera(frames=3, eye=(0, -5, 1), target=(0, 0, 1))
    wall = box((9.0, 0.5, 9.0), poses([[0, 1.0, 1], [0, 0.75, 1], [0, 0.625, 1]]))
    rendering = render(*scene([wall], view), samples_per_pixel=1)
    np.testing.assert_allclose(rendering.depth[0], 5.5, atol=1e-6)
    np.testing.assert_allclose(rendering.depth_change[0], -0.25, atol=1e-6)
    np.testing.assert_allclose(rendering.depth_change[1], -0.125, atol=1e-6)


def test_segmentation_numbers_dynamic_bodies_from_two_and_the_static_world_one() -> None:
    parts = [floor(), box((0.3, 0.3, 0.3), poses([-1, 0, 0.3]), mass=0.0), sphere(0.4, poses([0, 0, 0.4]))]
    parts.append(box((0.3, 0.3, 0.3), poses([1, 0, 0.3])))
    view = camera(frames=2)
    ids = render(*scene(parts, view), samples_per_pixel=1).segmentation[0]
    assert set(np.unique(ids)) == {0, 1, 2, 3}
    pixels, _ = project([[-1, 0, 0.3], [0, 0, 0.4], [1, 0, 0.3]], view.intrinsics, view.extrinsics[0])
    assert [ids[round(v), round(u)] for u, v in pixels] == [1, 2, 3]


def test_three_times_the_size_sees_the_same_along_the_same_rays() -> None:
    small: Rendering = render(*tumbling((32, 40), frames=3), samples_per_pixel=1)
    large: Rendering = render(*tumbling((96, 120), frames=3), samples_per_pixel=1)
    same = (slice(None), slice(1, None, 3), slice(1, None, 3))
    agree = large.segmentation[same] == small.segmentation
    assert agree.mean() > 0.999
    np.testing.assert_allclose(large.depth[same][agree], small.depth[agree], rtol=1e-6)
    both = agree[:-1]
    np.testing.assert_allclose(large.flow[same][both], 3 * small.flow[both], atol=1e-4)


@pytest.mark.parametrize("eye", [(0, -5, 1.5), (3, 4, 2), (-2, 3, 6)])
def test_depth_agrees_with_a_camera_from_any_side(eye: tuple[float, float, float]) -> None:
    view = camera(frames=2, eye=eye)
    np.testing.assert_array_equal(view.extrinsics[0], look_at(eye, (0, 0, 0.6)))
    rendering = render(*scene([floor()], view), samples_per_pixel=1)
    points = unproject(pixel_grid(48, 64), rendering.depth[0], view.intrinsics, view.extrinsics[0])
    assert np.abs(points[rendering.valid[0]][:, 2]).max() < 1e-4
