"""Liquids against closed forms: free fall, hydrostatics, the dam's front, Archimedes, viscosity."""

from dataclasses import replace

import numpy as np
import pytest

from components.simulation.guard import guard
from components.simulation.rendering.runtime import prepare
from components.simulation.scene import Shape, Vec3
from components.simulation.solvers.mpm import simulate
from components.simulation.solvers.mpm_flow import GAP, SOUND, Flow
from tests.simulation.bodies import G, ball, thing
from tests.simulation.liquids import centres, pool, tank, wet

WATER = 1000.0  # kg/m^3


def test_a_blob_falls_freely_and_its_centre_keeps_the_momentum_of_the_formula() -> None:
    blob = pool((0.4, 0.4, 0.4), spacing=0.1, at=(-0.5, 0.0, 3.0))
    thrown = replace(blob, velocity=(0.8, 0.1, 0.5))
    motion = simulate(wet([tank((4.0, 2.0, 6.0)), thrown], seconds=0.625))
    t = np.arange(11)[:, None] / 16
    expected = np.array(blob.position) + np.array([0.8, 0.1, 0.5]) * t + np.array([0.0, 0.0, -G / 2]) * t**2
    fallen = np.linalg.norm(expected[-1] - expected[0])
    assert np.abs(motion.poses[:, 0, :3] - expected).max() < 1e-4 * fallen
    np.testing.assert_allclose(motion.velocities[:, 0, :3], [0.8, 0.1, 0.5] + np.array([0, 0, -G]) * t, atol=1e-3)


def test_momentum_of_a_collapsing_blob_is_kept_without_gravity_and_walls() -> None:
    blob = replace(pool((0.4, 0.4, 0.4), spacing=0.05, at=(0.0, 0.0, 0.8)), velocity=(0.5, -0.3, 0.2))
    motion = simulate(wet([tank((2.0, 2.0, 2.0)), blob], seconds=0.5, gravity=(0.0, 0.0, 0.0)))
    np.testing.assert_allclose(motion.velocities[:, 0, :3], np.tile([0.5, -0.3, 0.2], (9, 1)), atol=1e-4)


def test_pressure_at_rest_is_hydrostatic() -> None:
    prepare()
    depth, spacing = 0.6, 0.05
    flow = Flow(
        pool((0.4, 0.4, depth), spacing=spacing),
        lower=np.array([-0.2, -0.2, 0.0]),
        upper=np.array([0.2, 0.2, 1.2]),
        gravity=(0.0, 0.0, -G),
        fps=16,
        device="cpu",
    )
    measured = []
    for frame in range(64):
        for _ in range(flow.steps):
            flow.step()
        if frame >= 32:
            ratio = flow.volume_ratio.numpy()
            measured.append(np.maximum(WATER * SOUND**2 / 7 * (ratio**-7.0 - 1), 0.0))
    height, pressure = flow.points()[:, 2], np.mean(measured, axis=0)
    for low in np.arange(0.1, 0.5, 0.1):  # layers a cell away from base and surface
        layer = (height >= low) & (height < low + 0.1)
        expected = WATER * G * (depth - height[layer].mean())
        assert abs(pressure[layer].mean() - expected) < 0.03 * WATER * G * depth


def test_the_front_of_a_dam_is_near_the_bound_of_shallow_water() -> None:
    height, spacing = 0.8, 0.05
    column = pool((1.6, 0.3, height), spacing=spacing, at=(-1.2, 0.0, 0.0))
    motion = simulate(wet([tank((4.0, 0.3, 2.0)), column], seconds=0.5, fps=32))
    front = np.sort(centres(motion, 2, len(column.points))[..., 0], axis=1)[:, -20]
    speed = (front[-1] - front[8]) * 32 / 8
    assert 0.65 < speed / (2 * np.sqrt(G * height)) < 1.0


def test_no_particle_is_lost_and_none_leaves_the_tank() -> None:
    column = pool((0.8, 0.4, 0.8), spacing=0.1, at=(-0.6, 0.0, 0.0))
    motion = simulate(wet([tank((2.0, 0.4, 1.6)), column], seconds=2.0))
    points = centres(motion, 2, len(column.points))
    gap = GAP * 0.1 - 1e-4
    assert points.shape[1] == 8 * 4 * 8
    assert (np.abs(points[..., :2]) <= np.array([1.0, 0.2]) - gap).all()
    assert (points[..., 2] >= gap).all()


def test_settled_water_keeps_its_volume() -> None:
    column = pool((0.8, 0.4, 0.8), spacing=0.1, at=(-0.6, 0.0, 0.0))
    motion = simulate(wet([tank((2.0, 0.4, 1.6)), column], seconds=10.0, fps=8))
    level = 2 * motion.poses[-16:, 0, 2].mean()
    assert level == pytest.approx(0.8 * 0.8 / 2.0, rel=0.1)


def draught(radius: float, ratio: float) -> float:
    """Depth in metres of the lowest point of a ball that floats: its cap's volume is `ratio` of the ball's."""
    depths = np.linspace(0, 2 * radius, 100_001)
    displaced = np.pi * depths**2 * (radius - depths / 3)
    return float(np.interp(ratio * 4 / 3 * np.pi * radius**3, displaced, depths))


def settled(ratio: float, *, size: Vec3, layers: int, seconds: float) -> tuple[float, float]:
    """Height of a ball's centre in the last second, as solved and by Archimedes; it begins just above the water."""
    radius, spacing = 0.25, size[1] / 14
    depth = layers * spacing
    volume = 4 / 3 * np.pi * radius**3
    water = pool((size[0], size[1], depth), spacing=spacing)
    body = ball(radius, (0.05, 0.02, depth + radius + 0.01), mass=ratio * WATER * volume)
    motion = simulate(wet([tank(size), water, body], seconds=seconds, fps=8))
    level = depth + min(ratio, 1.0) * volume / (size[0] * size[1])
    return float(motion.poses[-8:, 1, 2].mean()), level - draught(radius, min(ratio, 1.0)) + radius


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0.5, 0.8])
def test_a_ball_floats_at_the_draught_of_archimedes(ratio: float) -> None:
    """Within 5 % after the three to four seconds of a clip; measured: .2 % and 3 %.

    The solver has no formula for buoyancy: the ball stops water that moves into it, and this lift fades. After nine
    seconds balls were measured 9 and 16 % of their draught too deep.
    """
    solved, expected = settled(ratio, size=(1.2, 0.8, 1.8), layers=11, seconds=4.0)
    assert abs(solved - expected) < 0.05 * draught(0.25, ratio)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ratio", "floats"),
    [(0.9, True), (1.1, False)],
)
def test_a_ball_floats_or_sinks_by_its_density(ratio: float, floats: bool) -> None:
    solved, expected = settled(ratio, size=(1.2, 0.8, 2.2), layers=16, seconds=4.0)
    assert (abs(solved - expected) < 0.1) if floats else (expected - solved > 0.1)


def test_syrup_spreads_more_slowly_the_more_viscous_it_is() -> None:
    spread = []
    for viscosity in (0.0, 50.0, 300.0):
        column = pool((0.6, 0.6, 0.8), spacing=0.1, viscosity=viscosity)
        motion = simulate(wet([column], seconds=0.5))
        spread.append(np.abs(centres(motion, 1, len(column.points))[-1, :, 0]).max())
    assert spread[0] > 1.2 * spread[1] > 1.2 * 1.1 * spread[2]


def test_a_ball_on_the_base_pushes_no_particle_through_it() -> None:
    things = [tank((1.0, 0.8, 1.6)), pool((1.0, 0.8, 0.4), spacing=0.1), ball(0.25, (0.1, 0.0, 0.9), mass=500.0)]
    world = wet(things, seconds=1.0)
    motion = simulate(world)
    assert motion.poses[-1, 1, 2] == pytest.approx(0.25, abs=0.01)
    guard(world, motion)


def test_a_level_box_is_refused() -> None:
    box = thing(Shape.BOX, (0.2, 0.2, 0.2), (0.0, 0.0, 1.0))
    with pytest.raises(ValueError, match="only balls move in liquids"):
        simulate(wet([tank((1.0, 1.0, 1.6)), pool((1.0, 1.0, 0.4), spacing=0.1), box], seconds=0.1))
