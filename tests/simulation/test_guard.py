"""What the guard lets through, and the cause of every rejection."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from components.simulation.camera import look_at
from components.simulation.guard import MIN_MOTION, Cause, RejectedError, guard, guard_view
from components.simulation.scene import Body, Motion, Scene, Shape, Vec3
from components.simulation.solvers.bullet import simulate
from tests.simulation.bodies import ball, floor, scene, thing


def falling(*bodies: Body) -> tuple[Scene, Motion]:
    world = scene([floor(), *(bodies or (ball(0.4, (0.0, 0.0, 1.0)),))], fps=16)
    return world, simulate(world)


def cause_of(world: Scene, motion: Motion) -> Cause:
    with pytest.raises(RejectedError) as rejected:
        guard(world, motion)
    assert rejected.value.cause in str(rejected.value)
    return rejected.value.cause


def nan(motion: Motion) -> Motion:
    vertices = motion.vertices.copy()
    vertices[3, 5, 0] = np.nan
    return replace(motion, vertices=vertices)


def far_away(motion: Motion) -> Motion:
    vertices = motion.vertices.copy()
    vertices[-1, motion.faces[motion.face_body == 1].ravel(), 0] += 50.0
    return replace(motion, vertices=vertices)


def fast(motion: Motion) -> Motion:
    return replace(motion, velocities=motion.velocities * 40)


def sunk(motion: Motion) -> Motion:
    vertices = motion.vertices.copy()
    vertices[5:, motion.faces[motion.face_body == 1].ravel(), 2] -= 0.4
    return replace(motion, vertices=vertices)


def kicked(motion: Motion) -> Motion:
    poses = motion.poses.copy()
    poses[1:, 0, 0] += 0.05
    return replace(motion, poses=poses)


def test_a_falling_ball_passes() -> None:
    guard(*falling())


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (nan, Cause.NON_FINITE),
        (far_away, Cause.OUT_OF_BOUNDS),
        (fast, Cause.TOO_FAST),
        (sunk, Cause.PENETRATION),
        (kicked, Cause.JUMP),
    ],
)
def test_a_spoilt_motion_is_rejected_with_its_cause(spoil: Callable[[Motion], Motion], cause: Cause) -> None:
    world, motion = falling()
    assert cause_of(world, spoil(motion)) is cause


def test_speeds_that_quality_judges_pass() -> None:
    world, motion = falling()
    fastest = np.linalg.norm(motion.velocities[..., :3], axis=-1).max()
    guard(world, replace(motion, velocities=motion.velocities * 90.0 / fastest))


@pytest.mark.parametrize("shape", list(Shape))
def test_an_object_that_starts_inside_another_is_rejected(shape: Shape) -> None:
    size = {Shape.SPHERE: (0.4, 0.0, 0.0), Shape.BOX: (0.4, 0.4, 0.4), Shape.CYLINDER: (0.4, 0.8, 0.0)}[shape]
    other = thing(shape, size, (0.6, 0.0, 1.5), name="other")
    assert cause_of(*falling(ball(0.4, (0.0, 0.0, 1.5)), other)) is Cause.OVERLAP


def test_an_object_that_starts_in_the_floor_is_rejected() -> None:
    assert cause_of(*falling(ball(0.4, (0.0, 0.0, 0.38)))) is Cause.OVERLAP


def test_the_message_names_who_is_in_what() -> None:
    world, motion = falling()
    with pytest.raises(RejectedError, match=r"thing is .* mm inside floor, expected at most 20 mm"):
        guard(world, sunk(motion))


def test_a_scene_that_starts_in_motion_may_move_at_once() -> None:
    guard(*falling(ball(0.4, (0.0, 0.0, 1.0), velocity=(3.0, 0.0, 0.0))))


TARGET = np.array([0.0, 0.0, 1.0])  # of the camera of `bodies.scene`, whose focal length is 16 pixels
RADIUS = 0.4
NEAREST = np.sqrt(26.0) - RADIUS  # metres from the camera to a ball at its target


def sliding(start: Vec3, way: Vec3, *others: Body) -> tuple[Scene, Motion]:
    """A ball that is carried along `way` in metres, evenly over the clip."""
    world = scene([floor(), ball(RADIUS, start), *others], fps=16, gravity=(0.0, 0.0, 0.0))
    motion = simulate(world)
    vertices = motion.vertices.copy()
    own = np.unique(motion.faces[motion.face_body == 1])
    vertices[:, own] += np.linspace(0.0, 1.0, world.frames)[:, None, None] * np.array(way)
    return world, replace(motion, vertices=vertices)


def view_cause(world: Scene, motion: Motion) -> Cause:
    with pytest.raises(RejectedError) as rejected:
        guard_view(world, motion)
    return rejected.value.cause


def across(pixels: float) -> Vec3:
    """Metres across the picture by which the nearest point of a ball at the camera's target moves so many pixels."""
    return (pixels * NEAREST / 16.0, 0.0, 0.0)


def test_a_still_scene_has_no_visible_motion() -> None:
    assert view_cause(*sliding((0.0, 0.0, 1.0), (0.0, 0.0, 0.0))) is Cause.NO_VISIBLE_MOTION


def test_a_way_of_three_pixels_is_visible() -> None:
    guard_view(*sliding((0.0, 0.0, 1.0), across(3.0)))


def test_the_least_motion_is_that_of_the_point_that_moves_most() -> None:
    guard_view(*sliding((0.0, 0.0, 1.0), across(1.05 * MIN_MOTION)))
    assert view_cause(*sliding((0.0, 0.0, 1.0), across(0.95 * MIN_MOTION))) is Cause.NO_VISIBLE_MOTION


def test_a_motion_there_and_back_is_visible() -> None:
    world, motion = sliding((0.0, 0.0, 1.0), across(3.0))
    guard_view(world, replace(motion, vertices=np.concatenate([motion.vertices[::2], motion.vertices[-2::-2]])))


@pytest.mark.parametrize(
    "start", [(0.0, -8.0, 2.0), (9.0, 0.0, 1.0), (0.0, 0.0, 9.0)], ids=["behind", "beside", "above"]
)
def test_what_is_never_in_the_picture_is_never_visible(start: Vec3) -> None:
    assert view_cause(*sliding(start, (0.3, 0.0, 0.0))) is Cause.NEVER_VISIBLE


@pytest.mark.parametrize("start", [(0.0, -8.0, 2.0), (9.0, 0.0, 1.0)], ids=["behind", "beside"])
def test_what_comes_into_the_picture_moves_visibly(start: Vec3) -> None:
    guard_view(*sliding(start, (-start[0], -start[1], 1.0 - start[2])))


def test_every_thing_is_visible_or_the_view_is_rejected() -> None:
    world = scene([floor(), ball(RADIUS, (0.0, 0.0, 1.0)), ball(RADIUS, (0.0, -8.0, 1.0))], fps=16)
    assert view_cause(world, simulate(world)) is Cause.NEVER_VISIBLE


WALL = thing(Shape.BOX, (0.5, 0.05, 1.0), (0.0, -2.0, 1.0), name="wall", mass=0.0)  # hides .8 m around the target


def test_what_moves_behind_a_wall_in_all_frames_is_never_visible() -> None:
    with pytest.raises(RejectedError, match=r"never visible: the camera sees thing in none of 17 frames"):
        guard_view(*sliding((-0.2, 0.0, 1.0), (0.4, 0.0, 0.0), WALL))


def test_what_comes_out_from_behind_a_wall_in_the_last_frame_is_visible() -> None:
    world, motion = sliding((0.0, 0.0, 1.0), (1.5, 0.0, 0.0), WALL)
    vertices = motion.vertices.copy()
    vertices[:-1] = vertices[0]
    guard_view(world, replace(motion, vertices=vertices))
    still = replace(motion, vertices=np.broadcast_to(vertices[:1], vertices.shape))
    assert view_cause(world, still) is Cause.NEVER_VISIBLE


def test_an_orbit_of_the_camera_moves_nothing() -> None:
    world, motion = sliding((0.0, 0.0, 1.0), (0.0, 0.0, 0.0))
    turns = np.linspace(0.0, 1.0, world.frames)
    around = np.stack([5.0 * np.sin(turns), -5.0 * np.cos(turns), np.full_like(turns, 2.0)], axis=1)
    orbiting = replace(world.camera, extrinsics=np.stack([look_at(position, TARGET) for position in around]))
    assert view_cause(replace(world, camera=orbiting), motion) is Cause.NO_VISIBLE_MOTION
