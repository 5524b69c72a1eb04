import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

from components.geometry import pixel_grid, project, resize_intrinsics, sample, unproject, warp

INTRINSICS = np.array([[70.0, 0.0, 31.5], [0.0, 72.0, 23.5], [0.0, 0.0, 1.0]])


def extrinsics_of(rotation_vector: np.ndarray, translation: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = Rotation.from_rotvec(rotation_vector).as_matrix(), translation
    return matrix


def vectors(low: float, high: float) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, 3, elements=st.floats(low, high))


@given(
    vectors(-3, 3),
    vectors(-10, 10),
    hnp.arrays(np.float64, (5, 2), elements=st.floats(-500, 500)),
    hnp.arrays(np.float64, 5, elements=st.floats(0.01, 100)),
)
def test_project_undoes_unproject(turn: np.ndarray, shift: np.ndarray, pixels: np.ndarray, z: np.ndarray) -> None:
    camera = extrinsics_of(turn, shift)
    found_pixels, found_z = project(unproject(pixels, z, INTRINSICS, camera), INTRINSICS, camera)
    np.testing.assert_allclose(found_z, z, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found_pixels, pixels, atol=1e-6)


def test_a_point_on_the_axis_projects_to_the_principal_point() -> None:
    pixels, z = project(np.array([0.0, 0.0, 3.0]), INTRINSICS, np.eye(4))
    np.testing.assert_allclose(pixels, [31.5, 23.5])
    assert z == 3.0


def test_x_is_right_and_y_is_down() -> None:
    pixels, _ = project(np.array([1.0, 1.0, 2.0]), INTRINSICS, np.eye(4))
    np.testing.assert_allclose(pixels, [31.5 + 35, 23.5 + 36])


def test_one_camera_per_frame_meets_the_points_of_its_frame() -> None:
    cameras = np.stack([extrinsics_of(np.array([0, 0.1 * t, 0]), np.array([t, 0, 5.0])) for t in range(3)])
    points = np.random.default_rng(0).normal(size=(3, 4, 2, 3))
    pixels, z = project(points, INTRINSICS, cameras)
    for t in range(3):
        one_pixels, one_z = project(points[t], INTRINSICS, cameras[t])
        np.testing.assert_allclose(pixels[t], one_pixels)
        np.testing.assert_allclose(z[t], one_z)
    np.testing.assert_allclose(unproject(pixels, z, INTRINSICS, cameras), points, atol=1e-12)


def test_a_point_in_the_cameras_plane_stays_finite() -> None:
    pixels, z = project(np.array([1.0, 2.0, 0.0]), INTRINSICS, np.eye(4))
    assert np.isfinite(pixels).all()
    assert z == 0.0


@pytest.mark.parametrize("scale", [0.5, 2.0, 3.0, (2.0, 1.5)])
def test_resizing_moves_pixels_as_areas_do(scale: float | tuple[float, float]) -> None:
    point = np.array([0.3, -0.2, 4.0])
    before, _ = project(point, INTRINSICS, np.eye(4))
    after, _ = project(point, resize_intrinsics(INTRINSICS, scale), np.eye(4))
    np.testing.assert_allclose(after, (before + 0.5) * scale - 0.5)


def test_a_linear_image_is_sampled_exactly_between_its_pixels() -> None:
    u, v = np.moveaxis(pixel_grid(6, 8), -1, 0)
    image = 2 * u - 3 * v + 1
    places = np.array([[0.25, 4.5], [6.9, 0.1], [7.0, 5.0]])
    np.testing.assert_allclose(sample(image, places), 2 * places[:, 0] - 3 * places[:, 1] + 1)


def test_outside_an_image_its_border_is_sampled() -> None:
    image = np.arange(12.0).reshape(3, 4)
    np.testing.assert_allclose(sample(image, [[-5.0, 0.0], [9.0, 9.0]]), [0.0, 11.0])


def test_warp_brings_a_shifted_image_back() -> None:
    image = np.random.default_rng(1).random((8, 9, 3))
    shifted = np.roll(image, (2, 3), axis=(0, 1))
    flow = np.broadcast_to([3.0, 2.0], (8, 9, 2))
    np.testing.assert_allclose(warp(shifted, flow)[:6, :6], image[:6, :6])
