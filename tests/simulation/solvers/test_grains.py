"""Grains: heaps by friction, energy, and nothing lost."""

import numpy as np
import pytest

from components.simulation.props.grains import Packing, block
from components.simulation.scene import FloatArray, Motion, Scene
from components.simulation.solvers.bullet_grains import simulate
from components.simulation.things.particles import Grains
from tests.simulation.bodies import G, ball, floor, scene
from tests.simulation.liquids import centres, tank

RADIUS = 0.06


def heap(*, friction: float, rolling: float = 0.25, lift: float = 0.0) -> Grains:
    packing = Packing(name="pebbles", radius=RADIUS, friction=friction, seed=0)
    return packing.grains(packing.block((0.5, 0.5, 0.7)) + np.array([0.0, 0.0, lift]), "red", rolling=rolling)


def solved(thing: Grains, *, seconds: float) -> tuple[Scene, Motion, FloatArray]:
    world = scene([floor(), thing], seconds=seconds, fps=16)
    motion = simulate(world)
    return world, motion, centres(motion, 1, len(thing.points))


@pytest.mark.slow
def test_heaps_are_steeper_the_rougher_the_grains() -> None:
    slopes = []
    for friction, rolling in ((0.1, 0.0), (0.4, 0.1), (0.9, 0.4)):
        _, _, points = solved(heap(friction=friction, rolling=rolling), seconds=1.5)
        spread = points[-1, :, :2] - points[-1, :, :2].mean(axis=0)
        slopes.append(points[-1, :, 2].mean() / np.sqrt((spread**2).sum(axis=1).mean()))
    assert slopes[0] < 0.8 * slopes[1] < 0.8 * 0.8 * slopes[2]


def test_grains_fall_freely() -> None:
    thing = heap(friction=0.5, lift=1.5)
    _, motion, points = solved(thing, seconds=0.5)
    t = np.arange(9) / 16
    np.testing.assert_allclose(points[:, :, 2] - thing.points[:, 2], np.tile(-G * t**2 / 2, (len(thing.points), 1)).T,
                               atol=1e-6)  # fmt: skip
    np.testing.assert_allclose(motion.poses[:, 0, 2], points[..., 2].mean(axis=1), atol=1e-9)


def test_energy_never_grows() -> None:
    thing = heap(friction=0.5)
    world = scene([floor(), thing], seconds=1.0, fps=96)
    points = centres(simulate(world), 1, len(thing.points))
    speed = (points[2:] - points[:-2]) * 48
    energy = (speed**2).sum(axis=2).mean(axis=1) / 2 + G * points[1:-1, :, 2].mean(axis=1)
    assert np.diff(energy).max() < 2e-3 * energy[0]
    assert energy[-1] < 0.6 * energy[0]


def test_no_grain_leaves_a_tank_or_sinks_into_the_floor() -> None:
    points = block((0.9, 0.3, 0.6), RADIUS, np.random.default_rng(1)) + np.array([0.0, 0.0, 0.3])
    thing = Packing(name="pebbles", radius=RADIUS, friction=0.3, seed=0).grains(points, "red", rolling=0.0)
    motion = simulate(scene([floor(), tank((1.2, 0.3, 1.5)), thing], seconds=1.5, fps=16))
    found = centres(motion, 2, len(points))
    assert (np.abs(found[..., :2]) < np.array([0.6, 0.15]) - RADIUS + 0.005).all()
    assert found[..., 2].min() > RADIUS - 0.005


@pytest.mark.slow
def test_a_heavy_ball_goes_deeper_into_grains_than_a_light_one() -> None:
    depths = []
    for mass in (3.0, 300.0):
        things = [floor(), heap(friction=0.5), ball(0.2, (0.0, 0.0, 1.2), mass=mass)]
        depths.append(simulate(scene(things, seconds=1.0, fps=16)).poses[-1, 1, 2])
    assert depths[1] < depths[0]


def test_what_is_neither_grains_nor_rigid_is_refused() -> None:
    from tests.simulation.liquids import pool

    with pytest.raises(ValueError, match="expected grains, a tank or a rigid body"):
        simulate(scene([floor(), pool((0.2, 0.2, 0.2), spacing=0.1)], seconds=0.1, fps=16))
