"""What the guard lets through, and the cause of every rejection."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from components.simulation.guard import Cause, RejectedError, guard
from components.simulation.scene import Body, Motion, Scene, Shape
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
