"""Impacts: restitution, momentum, energy, and nothing passes through anything."""

import numpy as np
import pytest

from components.simulation.guard import guard
from components.simulation.scene import Body, FloatArray, Motion, Shape, Vec3
from components.simulation.solvers.bullet import simulate
from tests.simulation.bodies import G, ball, floor, scene, thing

WEIGHTLESS = (0.0, 0.0, 0.0)
LEVEL: dict[Shape, Vec3] = {Shape.SPHERE: (0.4, 0, 0), Shape.BOX: (0.3, 0.35, 0.4)}


def bounce(shape: Shape, restitution: float, *, height: float, seconds: float) -> Motion:
    body = thing(shape, LEVEL[shape], (0.3, 0.2, 0.4 + height), restitution=restitution)
    return simulate(scene([floor(), body], seconds=seconds, fps=960))


def momentum(bodies: list[Body], motion: Motion) -> FloatArray:
    masses = np.array([body.mass for body in bodies if body.dynamic])
    return np.asarray((masses[:, None] * motion.velocities[:, :, :3]).sum(axis=1), np.float64)


@pytest.mark.parametrize("shape", list(LEVEL))
@pytest.mark.parametrize("height", [0.3, 1.0, 1.9])
@pytest.mark.parametrize("restitution", [0.0, 0.2, 0.35, 0.5, 0.75, 0.95])
def test_a_body_leaves_the_floor_with_its_restitution(shape: Shape, restitution: float, height: float) -> None:
    fall = float(np.sqrt(2 * height / G))
    speed = bounce(shape, restitution, height=height, seconds=fall + 0.05).velocities[:, 0, 2]
    impact = int(np.argmin(speed))
    assert abs(max(speed[impact:].max(), 0.0) / -speed[impact] - restitution) < 0.01


@pytest.mark.parametrize("restitution", [0.5, 0.7, 0.9])
def test_peaks_of_a_bouncing_ball_follow_the_square_of_restitution(restitution: float) -> None:
    height = bounce(Shape.SPHERE, restitution, height=1.5, seconds=2.2).poses[:, 0, 2] - 0.4
    rising = np.diff(height) > 0
    peaks = height[1:-1][rising[:-1] & ~rising[1:]]
    measured = np.sqrt(peaks[:2] / [1.5, peaks[0]])
    np.testing.assert_allclose(measured, restitution, atol=0.01)


@pytest.mark.parametrize("shape", list(LEVEL))
def test_an_elastic_bounce_keeps_the_energy(shape: Shape) -> None:
    motion = bounce(shape, 1.0, height=1.5, seconds=1.6)
    speed, height = motion.velocities[:, 0, 2], motion.poses[:, 0, 2] - 0.4
    energy = speed**2 / 2 + G * height
    assert abs(energy[-1] / energy[0] - 1) < 0.01
    assert np.abs(energy / energy[0] - 1).max() < 0.01


@pytest.mark.parametrize("offset", [0.0, 0.25])
@pytest.mark.parametrize("restitution", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("partner", list(Shape))
def test_momentum_is_kept_when_free_bodies_collide(partner: Shape, restitution: float, offset: float) -> None:
    size = {Shape.SPHERE: (0.35, 0.0, 0.0), Shape.BOX: (0.3, 0.3, 0.4), Shape.CYLINDER: (0.3, 0.8, 0.0)}[partner]
    elasticity = float(np.sqrt(restitution))
    bodies = [
        ball(0.4, (-1.0, 0.0, offset), velocity=(2.0, 0.0, 0.0), mass=3.0, restitution=elasticity),
        thing(partner, size, (0.3, 0.05, 0.0), velocity=(-1.0, 0.2, 0.0), mass=7.0, restitution=elasticity),
    ]
    motion = simulate(scene(bodies, gravity=WEIGHTLESS))
    total = momentum(bodies, motion)
    assert np.abs(motion.velocities[-1, 0, :3] - motion.velocities[0, 0, :3]).max() > 0.5  # they met
    assert np.abs(total - total[0]).max() < 1e-6 * 13.0


@pytest.mark.parametrize("mass", [1.0, 3.0, 10.0])
def test_a_head_on_elastic_collision_is_that_of_the_formula(mass: float) -> None:
    bodies = [
        ball(0.4, (-1.0, 0.0, 0.0), velocity=(2.0, 0.0, 0.0), mass=mass, restitution=1.0),
        ball(0.4, (0.5, 0.0, 0.0), mass=2.0, restitution=1.0),
    ]
    final = simulate(scene(bodies, gravity=WEIGHTLESS)).velocities[-1, :, 0]
    np.testing.assert_allclose(final, [(mass - 2) / (mass + 2) * 2, 2 * mass / (mass + 2) * 2], atol=0.01)


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("speed", [5.0, 15.0])
def test_a_fast_body_does_not_pass_through_the_floor(shape: Shape, speed: float) -> None:
    size = {**LEVEL, Shape.CYLINDER: (0.3, 0.7, 0.0)}[shape]
    body = thing(shape, size, (0.0, 0.0, 2.0), velocity=(0.0, 0.0, -speed), orientation=(0.5, 0.5, -0.5, 0.5))
    world = scene([floor(), body])
    motion = simulate(world)
    guard(world, motion)
    assert motion.poses[:, 0, 2].min() > 0.28


def test_a_fast_ball_does_not_pass_through_a_thin_slab() -> None:
    slab = thing(Shape.BOX, (1.5, 0.6, 0.05), (0.0, 0.0, 1.0), mass=0.0)
    motion = simulate(scene([slab, ball(0.34, (0.0, 0.0, 2.5), velocity=(0.0, 0.0, -15.0))]))
    assert motion.poses[:, 0, 2].min() > 1.0
