"""Bodies that touch nothing: Newton's laws hold exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.simulation.scene import FloatArray, Motion, Scene, Shape, Vec3
from components.simulation.solvers.bullet import simulate
from tests.simulation.bodies import G, ball, scene, thing

SIZES: dict[Shape, Vec3] = {Shape.SPHERE: (0.3, 0, 0), Shape.BOX: (0.3, 0.2, 0.4), Shape.CYLINDER: (0.3, 0.7, 0)}
TILTED = (G * 0.3 * np.sin(0.5), -G * 0.1, -G * 0.3 * np.cos(0.5))


def times(world: Scene) -> FloatArray:
    return np.arange(world.frames)[:, None] / world.fps


def energy(motion: Motion, mass: float, inertia: FloatArray, gravity: Vec3) -> FloatArray:
    """Kinetic and potential energy (T,) of the first body, whose inertia is that of a sphere."""
    linear, angular = motion.velocities[:, 0, :3], motion.velocities[:, 0, 3:]
    kinetic = mass * (linear**2).sum(axis=1) / 2 + inertia * (angular**2).sum(axis=1) / 2
    return np.asarray(kinetic - mass * motion.poses[:, 0, :3] @ np.array(gravity), np.float64)


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("gravity", [(0.0, 0.0, -G), TILTED, (0.0, 0.0, 0.0)])
@pytest.mark.parametrize("fps", [16, 24, 60])
def test_position_and_velocity_of_a_thrown_body_are_those_of_the_formula(shape: Shape, gravity: Vec3, fps: int) -> None:
    start, velocity = (0.1, -0.2, 9.0), (1.0, 0.5, -0.3)
    body = thing(shape, SIZES[shape], start, velocity=velocity, angular_velocity=(1.0, 2.0, 3.0))
    world = scene([body], seconds=1.0, fps=fps, gravity=gravity)
    motion = simulate(world)
    t, g = times(world), np.array(gravity)
    np.testing.assert_allclose(motion.poses[:, 0, :3], start + velocity * t + g * t**2 / 2, atol=1e-9)
    np.testing.assert_allclose(motion.velocities[:, 0, :3], velocity + g * t, atol=1e-9)


@settings(deadline=None, max_examples=20)
@given(
    height=st.floats(0.0, 5.0),
    velocity=st.tuples(*[st.floats(-3, 3)] * 3),
    scale=st.floats(0.0, 1.2),
    tilt=st.floats(0.0, 0.7),
)
def test_energy_of_free_flight_is_kept(height: float, velocity: Vec3, scale: float, tilt: float) -> None:
    gravity = (float(G * scale * np.sin(tilt)), 0.0, float(-G * scale * np.cos(tilt)))
    motion = simulate(scene([ball(0.4, (0.0, 0.0, height), velocity=velocity)], fps=16, gravity=gravity))
    total = energy(motion, 10.0, np.array(0.64), gravity)
    assert np.ptp(total) < 1e-8


def test_a_body_turns_at_its_angular_velocity() -> None:
    body = thing(Shape.SPHERE, (0.4, 0.0, 0.0), (0.0, 0.0, 3.0), angular_velocity=(0.0, 0.0, 2.0))
    motion = simulate(scene([body], seconds=0.5))
    angle = 2 * np.arctan2(motion.poses[:, 0, 5], motion.poses[:, 0, 6])
    np.testing.assert_allclose(angle, 2.0 * np.arange(len(angle)) / 96, atol=1e-6)


def test_the_motion_starts_at_the_scene() -> None:
    half = float(np.sqrt(0.5))
    body = thing(
        Shape.BOX, (0.1, 0.2, 0.3), (1.0, 2.0, 3.0), orientation=(0.0, half, 0.0, half), velocity=(1.0, 2.0, 3.0)
    )
    motion = simulate(scene([body], seconds=0.1))
    np.testing.assert_allclose(motion.poses[0, 0], (1.0, 2.0, 3.0, 0.0, half, 0.0, half), atol=1e-15)
    np.testing.assert_array_equal(motion.velocities[0, 0], (1.0, 2.0, 3.0, 0.0, 0.0, 0.0))


def test_a_frame_rate_that_does_not_divide_the_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="fps is 25, expected a divisor of 960"):
        simulate(scene([ball(0.4, (0.0, 0.0, 1.0))], fps=25))
