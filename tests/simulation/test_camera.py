"""The camera of a view: what it looks at, from where, with which lens."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.geometry import project
from components.parameters.loader import load_params
from components.params import Video
from components.simulation.camera import Viewpoint, orbit_camera, view_azimuth

VIDEO = Video(frames=3, height=60, width=80, fps=16)
RANGES = load_params(Path(__file__).parents[2] / "profiles" / "laptop.yaml").simulation.camera


def viewpoint(*, elevation: float = 14.0, field_of_view: float = 50.0) -> Viewpoint:
    return Viewpoint(field_of_view=field_of_view, distance=5.2, elevation=elevation, target_height=1.05)


@given(azimuth=st.floats(-180, 180), elevation=st.floats(0, 89), field_of_view=st.floats(5, 120))
def test_the_target_is_in_the_middle_of_the_picture(azimuth: float, elevation: float, field_of_view: float) -> None:
    camera = orbit_camera(viewpoint(elevation=elevation, field_of_view=field_of_view), VIDEO, azimuth=azimuth)
    pixel, z = project([0.0, 0.0, 1.05], camera.intrinsics, camera.extrinsics[0])
    np.testing.assert_allclose(pixel, [39.5, 29.5], atol=1e-6)
    assert z == pytest.approx(5.2)


@given(azimuth=st.floats(-180, 180), elevation=st.floats(0, 89))
def test_extrinsics_are_a_rotation_with_up_upwards_in_the_picture(azimuth: float, elevation: float) -> None:
    camera = orbit_camera(viewpoint(elevation=elevation), VIDEO, azimuth=azimuth)
    rotation = camera.extrinsics[0, :3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert rotation[0, 2] == pytest.approx(0.0, abs=1e-12)
    assert rotation[1, 2] < 0


def test_from_azimuth_zero_x_is_to_the_right_and_y_is_away() -> None:
    camera = orbit_camera(viewpoint(elevation=0.0), VIDEO, azimuth=0.0)
    pixels, z = project(
        [[0.0, 0.0, 1.05], [1.0, 0.0, 1.05], [0.0, 1.0, 1.05], [0.0, 0.0, 2.05]],
        camera.intrinsics,
        camera.extrinsics[0],
    )
    assert pixels[1, 0] > pixels[0, 0]
    assert pixels[3, 1] < pixels[0, 1]
    assert z[2] == pytest.approx(z[0] + 1.0)


def test_the_field_of_view_is_the_height_of_the_picture() -> None:
    camera = orbit_camera(viewpoint(), VIDEO, azimuth=0.0)
    assert 2 * np.degrees(np.arctan2(30, camera.intrinsics[1, 1])) == pytest.approx(50.0)
    assert camera.intrinsics[0, 0] == camera.intrinsics[1, 1]


def test_every_frame_has_the_same_camera() -> None:
    extrinsics = orbit_camera(viewpoint(), VIDEO, azimuth=20.0).extrinsics
    assert extrinsics.shape == (3, 4, 4)
    assert (extrinsics == extrinsics[0]).all()


@pytest.mark.parametrize(("views", "azimuths"), [(1, [0.0]), (2, [-17.5, 17.5]), (3, [-35.0, 0.0, 35.0])])
def test_views_are_spread_around_the_front(views: int, azimuths: list[float]) -> None:
    assert [view_azimuth(view, views, 35.0) for view in range(views)] == azimuths


def test_each_of_its_numbers_is_drawn_from_its_own_range() -> None:
    wanted = {"field_of_view": (40, 60), "distance": (5, 7), "elevation": (0, 30), "target_height": (1, 2)}
    ranges = RANGES.model_copy(update=wanted)
    drawn = [Viewpoint.draw(np.random.default_rng(seed), ranges) for seed in range(200)]
    for name, (low, high) in wanted.items():
        values = [getattr(one, name) for one in drawn]
        assert low <= min(values) < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < max(values) <= high
    assert Viewpoint.middle(ranges) == Viewpoint(field_of_view=50.0, distance=6.0, elevation=15.0, target_height=1.5)


def test_a_range_of_one_value_is_that_value() -> None:
    drawn = Viewpoint.draw(np.random.default_rng(0), RANGES)
    assert drawn == Viewpoint.middle(RANGES) == viewpoint()
