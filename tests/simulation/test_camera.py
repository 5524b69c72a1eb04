"""The camera of a view: what it looks at, from where, with which lens."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.geometry import project
from components.parameters.loader import load_params
from components.parameters.simulation import CameraParams
from components.params import Video
from components.simulation.camera import orbit_camera, view_azimuth

VIDEO = Video(frames=3, height=60, width=80, fps=16)
LAPTOP = load_params(Path(__file__).parents[2] / "profiles" / "laptop.yaml")


def camera_params(*, elevation: float = 14.0, field_of_view: float = 50.0) -> CameraParams:
    return LAPTOP.simulation.camera.model_copy(update={"elevation": elevation, "field_of_view": field_of_view})


@given(azimuth=st.floats(-180, 180), elevation=st.floats(0, 89), field_of_view=st.floats(5, 120))
def test_the_target_is_in_the_middle_of_the_picture(azimuth: float, elevation: float, field_of_view: float) -> None:
    params = camera_params(elevation=elevation, field_of_view=field_of_view)
    camera = orbit_camera(params, VIDEO, azimuth=azimuth)
    pixel, z = project([0.0, 0.0, params.target_height], camera.intrinsics, camera.extrinsics[0])
    np.testing.assert_allclose(pixel, [39.5, 29.5], atol=1e-6)
    assert z == pytest.approx(params.distance)


@given(azimuth=st.floats(-180, 180), elevation=st.floats(0, 89))
def test_extrinsics_are_a_rotation_with_up_upwards_in_the_picture(azimuth: float, elevation: float) -> None:
    camera = orbit_camera(camera_params(elevation=elevation), VIDEO, azimuth=azimuth)
    rotation = camera.extrinsics[0, :3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert rotation[0, 2] == pytest.approx(0.0, abs=1e-12)
    assert rotation[1, 2] < 0


def test_from_azimuth_zero_x_is_to_the_right_and_y_is_away() -> None:
    camera = orbit_camera(camera_params(elevation=0.0), VIDEO, azimuth=0.0)
    pixels, z = project(
        [[0.0, 0.0, 1.05], [1.0, 0.0, 1.05], [0.0, 1.0, 1.05], [0.0, 0.0, 2.05]],
        camera.intrinsics,
        camera.extrinsics[0],
    )
    assert pixels[1, 0] > pixels[0, 0]
    assert pixels[3, 1] < pixels[0, 1]
    assert z[2] == pytest.approx(z[0] + 1.0)


def test_the_field_of_view_is_the_height_of_the_picture() -> None:
    camera = orbit_camera(camera_params(), VIDEO, azimuth=0.0)
    assert 2 * np.degrees(np.arctan2(30, camera.intrinsics[1, 1])) == pytest.approx(50.0)
    assert camera.intrinsics[0, 0] == camera.intrinsics[1, 1]


def test_every_frame_has_the_same_camera() -> None:
    extrinsics = orbit_camera(camera_params(), VIDEO, azimuth=20.0).extrinsics
    assert extrinsics.shape == (3, 4, 4)
    assert (extrinsics == extrinsics[0]).all()


@pytest.mark.parametrize(("views", "azimuths"), [(1, [0.0]), (2, [-17.5, 17.5]), (3, [-35.0, 0.0, 35.0])])
def test_views_are_spread_around_the_front(views: int, azimuths: list[float]) -> None:
    assert [view_azimuth(view, views, 35.0) for view in range(views)] == azimuths
