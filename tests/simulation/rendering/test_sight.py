"""What a camera ever sees, against the segmentation of the rendered clip."""

import numpy as np

from components.simulation.rendering.renderer import render
from components.simulation.rendering.sight import unseen_things
from components.simulation.scene import Motion, Scene
from tests.simulation.rendering.scenes import box, camera, floor, moving_camera, poses, scene, sphere
from tests.simulation.rendering.test_flow import orbit

BALL = 2  # its id
WALL = box((0.5, 0.05, 0.7), poses([0, -1.5, 0.7]), mass=0.0, name="wall")


def ball_at(*places: float) -> tuple[Scene, Motion]:
    """A ball that is at x = `places` in metres, frame by frame, and in the middle a wall before it."""
    ball = sphere(0.3, poses([[x, 0.0, 0.3] for x in places]), rings=12)
    return scene([floor(), WALL, ball], camera(frames=len(places)))


def unseen(made: Scene, motion: Motion) -> list[str]:
    return [thing.name for thing in unseen_things(made, motion)]


def test_what_a_wall_hides_in_every_frame_is_unseen() -> None:
    assert unseen(*ball_at(-0.1, 0.0, 0.1)) == ["ball"]


def test_one_frame_is_enough_to_be_seen() -> None:
    assert unseen(*ball_at(0.0, 0.0, 1.5)) == []


def test_what_covers_a_pixel_is_seen_however_little_shows() -> None:
    shows = []
    for place in np.linspace(0.38, 0.56, 19):  # it comes out from behind the wall
        made, motion = ball_at(place, place)
        shows.append(int((render(made, motion, samples_per_pixel=1).segmentation[0] == BALL).sum()))
        if shows[-1]:
            assert unseen(made, motion) == []
    assert shows[0] == 0
    assert 0 < min(show for show in shows if show) <= 2


def test_what_is_thinner_than_a_pixel_is_seen_between_their_centres() -> None:
    made, motion = scene([floor(), box((0.001, 0.001, 0.3), poses([0, 0, 0.6]))], camera(frames=2))
    assert not (render(made, motion, samples_per_pixel=1).segmentation == BALL).any()
    assert unseen(made, motion) == []


def test_what_is_beside_the_picture_or_behind_the_camera_is_unseen() -> None:
    for place in ([9.0, 0.0, 0.3], [0.0, -9.0, 0.3]):
        made, motion = scene([floor(), sphere(0.3, poses(place), rings=6)], camera(frames=2))
        assert unseen(made, motion) == ["ball"]


def test_a_camera_that_circles_a_wall_sees_what_is_behind_it() -> None:
    made, motion = scene([floor(), WALL, sphere(0.3, poses([0, 0, 0.3]))], moving_camera((48, 64), orbit(3)))
    hidden = ~(render(made, motion, samples_per_pixel=1).segmentation == BALL).any(axis=(1, 2))
    assert hidden.any()
    assert not hidden.all()
    assert unseen(made, motion) == []
