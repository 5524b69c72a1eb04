"""Sand against closed forms: free flight, the angle of friction, run-out of columns; what is kept and what is lost."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from components.simulation.guard import guard
from components.simulation.props import grains as packing
from components.simulation.props.grains import block
from components.simulation.rendering.runtime import prepare
from components.simulation.scene import FloatArray, Motion, Scene, Vec3
from components.simulation.solvers.sand import SandFlow, simulate
from components.simulation.things.particles import Grains, Sand
from tests.simulation.bodies import G, ball, floor, scene
from tests.simulation.liquids import centres, tank

RADIUS = 0.03
WIDE = 0.35  # metres: radius of the columns


def sand(points: FloatArray, *, friction: float) -> Sand:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "MOST", 0)
        equal = packing.Packing(name="grains", radius=RADIUS, friction=friction, seed=0)
        made = equal.grains(points, "red")
    assert isinstance(made, Sand)
    return made


def heap(size: Vec3, *, friction: float = 0.6, at: Vec3 = (0.0, 0.0, 0.0)) -> Sand:
    return sand(block(size, RADIUS, np.random.default_rng(0)) + np.array(at), friction=friction)


@cache
def collapsed(aspect: float, friction: float) -> tuple[Scene, Motion, FloatArray]:
    """Of a round column, `aspect` times as high as its radius: after 2 s, with the centres (T,P,3) of its grains."""
    points = block((2 * WIDE, 2 * WIDE, WIDE * aspect), RADIUS, np.random.default_rng(0))
    column = sand(points[np.hypot(points[:, 0], points[:, 1]) < WIDE - RADIUS], friction=friction)
    world = scene([floor(), column], seconds=2.0, fps=16)
    motion = simulate(world)
    return world, motion, centres(motion, 1, len(column.points))


def spread(points: FloatArray) -> float:
    """Radius in metres of the circle that holds 99 % of the grains (P,3)."""
    return float(np.quantile(np.hypot(points[:, 0], points[:, 1]), 0.99)) + RADIUS


def test_a_thrown_heap_falls_freely_and_no_grain_is_lost() -> None:
    thrown = replace(heap((0.3, 0.3, 0.3), at=(-0.3, 0.0, 2.0)), velocity=(0.8, 0.1, 0.5))
    motion = simulate(scene([floor(), thrown], seconds=0.5, fps=16))
    t = np.arange(9)[:, None] / 16
    expected = np.array(thrown.position) + np.array([0.8, 0.1, 0.5]) * t + np.array([0.0, 0.0, -G / 2]) * t**2
    assert np.abs(motion.poses[:, 0, :3] - expected).max() < 1e-4 * np.linalg.norm(expected[-1] - expected[0])
    np.testing.assert_allclose(motion.velocities[:, 0, :3], [0.8, 0.1, 0.5] + np.array([0, 0, -G]) * t, atol=1e-4 * G)
    assert centres(motion, 1, len(thrown.points)).shape == (9, len(thrown.points), 3)


@pytest.mark.parametrize("friction", [0.4, pytest.param(0.7, marks=pytest.mark.slow)])
def test_a_layer_slows_down_below_the_angle_of_friction_and_speeds_up_above_it(friction: float) -> None:
    """Half a degree to either side, as Coulomb's block: within .04 m/s^2, which is a quarter of a degree.

    It moves a little at first, as it settles. It is so long because its ends give way: in half a second that reaches
    the middle of one of 3.6 m, where a degree below the angle grains then begin to creep.
    """
    layer = heap((7.2, 0.3, 0.2), friction=friction)
    middle = np.abs(layer.points[:, 0]) < 0.4
    for beyond in (-0.5, 0.5):
        angle = np.arctan(friction) + np.radians(beyond)
        down: Vec3 = (G * float(np.sin(angle)), 0.0, -G * float(np.cos(angle)))
        motion = simulate(scene([floor(), tank((8.2, 0.3, 0.6)), layer], seconds=0.375, fps=16, gravity=down))
        speed = np.diff(centres(motion, 2, len(layer.points))[:, middle, 0].mean(axis=1)) * 16
        slides = G * (np.sin(angle) - friction * np.cos(angle))
        assert (speed > 0).all()
        assert (speed[-1] - speed[2]) / 3 * 16 == pytest.approx(slides, abs=0.04)


@pytest.mark.parametrize("aspect", [1.0, pytest.param(1.5, marks=pytest.mark.slow)])
def test_columns_run_out_as_far_as_measured_ones(aspect: float) -> None:
    """Lube et al., Axisymmetric collapses of granular columns, JFM 2004: 1.24 of the aspect ratio, below one of 1.7.

    Grains as smooth as glass beads, of an angle of 21 degrees; within 30 %, as a column is seven cells wide.
    """
    _, _, points = collapsed(aspect, 0.38)
    high = (points[0, :, 2].max() + RADIUS) / WIDE
    assert (spread(points[-1]) - WIDE) / WIDE == pytest.approx(1.24 * high, rel=0.3)


@pytest.mark.slow
def test_heaps_are_steeper_the_rougher_the_grains_and_never_steeper_than_their_friction() -> None:
    slopes = []
    for friction in (0.38, 0.6, 0.9):
        world, motion, points = collapsed(1.0, friction)
        guard(world, motion)
        slopes.append((points[-1, :, 2].max() + RADIUS) / spread(points[-1]))
        assert 0.4 * friction < slopes[-1] < friction
        assert np.sqrt((((points[-1] - points[-2]) * 16) ** 2).sum(axis=1).mean()) < 0.03
    assert slopes[0] < 0.7 * slopes[1] < 0.7 * 0.8 * slopes[2]


def settle(thing: Grains, *, lower: Vec3, upper: Vec3, seconds: float) -> tuple[SandFlow, FloatArray]:
    """The flow at the end, and its energy of motion, height and strain in J at every frame."""
    prepare()
    flow = SandFlow(thing, lower=np.array(lower), upper=np.array(upper), gravity=(0.0, 0.0, -G), fps=16, device="cpu")
    energies = []
    for _ in range(round(16 * seconds)):
        speed = flow.velocity.numpy().astype(np.float64) + np.array([0.0, 0.0, -G]) * flow.dt / 2
        strain = np.log(np.linalg.eigvalsh(flow.stretch.numpy().astype(np.float64))) / 2
        stored = flow.sand.shear * (strain**2).sum() + flow.sand.bulk / 2 * (strain.sum(axis=1) ** 2).sum()
        moving = thing.mass * ((speed**2).sum(axis=1).mean() / 2 + G * flow.points()[:, 2].mean())
        energies.append(moving + flow.matter.volume * stored)
        for _ in range(flow.steps):
            flow.step()
    return flow, np.array(energies)


def test_energy_never_grows_and_fallen_sand_is_as_thick_as_it_was() -> None:
    """Within 15 %, as real grains lie looser once they fell; on the floor within a cell, as walls are felt so far."""
    thing = heap((0.6, 0.4, 0.4), at=(0.0, 0.0, 0.3))
    flow, energies = settle(thing, lower=(-0.3, -0.2, 0.0), upper=(0.3, 0.2, 1.2), seconds=1.5)
    assert np.diff(energies).max() < 2e-3 * (energies[0] - energies[-1])
    assert flow.matter.mass * len(thing.points) == pytest.approx(thing.mass, rel=1e-6)
    assert np.ptp(flow.points()[:, 2]) == pytest.approx(np.ptp(thing.points[:, 2]), rel=0.15)
    assert RADIUS - 1e-6 <= flow.points()[:, 2].min() < RADIUS + flow.grid.cell[2]


def test_a_ball_in_sand_is_refused() -> None:
    with pytest.raises(ValueError, match="no ball among grains"):
        simulate(scene([floor(), heap((0.3, 0.3, 0.3)), ball(0.2, (0.0, 0.0, 2.0))], seconds=0.1, fps=16))
