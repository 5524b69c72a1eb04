"""Warm air against closed forms: rest, internal waves, the first push on a warm ball, similarity; heat is kept."""

import numpy as np
import pytest

from components.simulation.families.thermodynamics.plume import Plume
from components.simulation.props.liquids import glass_tank
from components.simulation.props.puffs import Puff
from components.simulation.scene import FloatArray, Vec3
from components.simulation.solvers.boussinesq import Air
from components.simulation.solvers.plume import simulate
from components.simulation.things.smoke import AIR_TEMPERATURE
from tests.simulation.bodies import G, ball, floor, scene
from tests.simulation.liquids import centres

DOWN: Vec3 = (0.0, 0.0, -G)


def box_of_air(excess: FloatArray, *, cell: float, dt: float, gravity: Vec3 = DOWN) -> Air:
    return Air(excess, cell=np.full(3, cell), expansion=1 / AIR_TEMPERATURE, gravity=gravity, dt=dt)


def places(shape: tuple[int, int, int], cell: float) -> FloatArray:
    return np.stack(np.meshgrid(*[(np.arange(n) + 0.5) * cell for n in shape], indexing="ij"))


def test_air_in_level_layers_of_any_temperatures_stays_still() -> None:
    layers = np.random.default_rng(0).uniform(-40, 40, size=20)
    air = box_of_air(np.broadcast_to(layers, (12, 8, 20)), cell=0.1, dt=0.02)
    for _ in range(50):
        air.step()
    assert max(np.abs(faces).max() for faces in air.faces) < 1e-9


def test_an_internal_wave_has_the_period_of_the_dispersion_relation() -> None:
    shape, cell, dt, gradient = (32, 4, 24), 0.1, 0.02, 160.0
    length, height = shape[0] * cell, shape[2] * cell
    x, _, z = places(shape, cell)
    wave = np.cos(np.pi * x / length) * np.sin(np.pi * z / height)
    air = box_of_air(gradient * z + 0.05 * wave, cell=cell, dt=dt)
    amplitude = []
    for _ in range(350):
        amplitude.append(((air.cells[3] - gradient * z) * wave).sum())
        air.step()
    kx, kz = np.pi / length, np.pi / height
    omega = np.sqrt(G * gradient / AIR_TEMPERATURE) * kx / np.hypot(kx, kz)
    crossings = np.flatnonzero(np.diff(np.sign(amplitude)))[:3]
    times = [(n + amplitude[n] / (amplitude[n] - amplitude[n + 1])) * dt for n in crossings]
    np.testing.assert_allclose(times, (np.arange(3) + 0.5) * np.pi / omega, rtol=0.01)


def test_the_buoyancy_of_warm_air_is_that_of_archimedes() -> None:
    """Its weight less that of the air in its place, within .002.

    In stripes so high that no air has to make way at half their height: the ends are felt there by exp(-2.5 pi).
    """
    shape, cell, dt = (16, 4, 80), 0.05, 0.005
    excess = 20.0 * np.cos(np.pi * places(shape, cell)[0] / (shape[0] * cell))
    air = box_of_air(excess, cell=cell, dt=dt)
    air.step()
    pushed = air.cells[2][:, :, 39:41].mean(axis=2) / dt
    assert np.abs(pushed / (G * excess[:, :, 40] / AIR_TEMPERATURE) - 1).max() < 2e-3


def test_a_warm_ball_of_air_is_first_pushed_by_two_thirds_of_its_buoyancy() -> None:
    """Half of its own mass is added to the ball's by the air around it that has to make way."""
    shape, cell, excess, dt = (48, 48, 48), 0.05, 20.0, 0.005
    distance = np.linalg.norm(places(shape, cell) - 1.2, axis=0)
    air = box_of_air(excess * np.clip((0.3 - distance) / cell + 0.5, 0, 1), cell=cell, dt=dt)
    air.step()
    inside = distance < 0.25
    pushed = air.cells[2][inside].mean() / dt
    assert pushed == pytest.approx(2 / 3 * G * excess / AIR_TEMPERATURE, rel=0.03)


def plume(*, excess: float, x: float = 0.0, radius: float = 0.3, motes: int = 300) -> Plume:
    puff = Puff(radius=radius, excess=excess, position=(x, 0.0, 0.5 if excess > 0 else 1.5))
    return Plume(tank=(1.6, 1.2, 2.0), puffs=(puff,), motes=motes, mote=0.37, seed=1)


def rise(excess: float, *, fps: int, gravity: Vec3 = DOWN) -> FloatArray:
    bodies = plume(excess=excess).bodies()
    poses = simulate(scene([floor(), *bodies], seconds=10 / fps, fps=fps, gravity=gravity)).poses
    return np.asarray(poses[:, 0, 2] - poses[0, 0, 2], np.float64)


def test_four_times_the_warmth_makes_everything_twice_as_fast() -> None:
    slow, fast = rise(15.0, fps=8), rise(60.0, fps=16)
    assert slow[-1] > 0.15
    np.testing.assert_allclose(fast, slow, atol=0.02 * slow[-1])


def test_cold_smoke_sinks_as_warm_smoke_rises() -> None:
    warm, cold = rise(40.0, fps=16), rise(-40.0, fps=16)
    np.testing.assert_allclose(cold, -warm, atol=0.01 * warm[-1])


def test_without_gravity_nothing_moves() -> None:
    assert np.abs(rise(60.0, fps=16, gravity=(0.0, 0.0, 0.0))).max() == 0.0


def test_heat_is_kept_and_no_air_becomes_hotter_than_it_was() -> None:
    distance = np.linalg.norm(places((24, 16, 24), 0.08) - np.array([1, 0.6, 0.5])[:, None, None, None], axis=0)
    air = box_of_air(60.0 * (distance < 0.3), cell=0.08, dt=0.015)
    before = air.cells[3].sum()
    for _ in range(150):
        air.step()
    assert air.cells[3].sum() == pytest.approx(before, rel=1e-10)
    assert -3.0 < air.cells[3].min() <= air.cells[3].max() < 63.0
    divergence = sum(np.diff(faces, axis=axis) for axis, faces in enumerate(air.faces))
    assert np.abs(divergence).max() < 1e-9


@pytest.mark.slow
def test_no_mote_is_lost_and_none_leaves_the_tank() -> None:
    made = plume(excess=80.0, x=0.4)
    tank, smoke = made.bodies()
    motion = simulate(scene([floor(), tank, smoke], seconds=1.5, fps=16))
    points = centres(motion, 2, made.motes)
    assert points.shape[1] == made.motes
    assert (np.abs(points) <= np.array([0.8, 0.6, 2.0])).all()
    assert motion.heat is not None
    assert 0.0 <= motion.heat.min() <= motion.heat.max() <= 1.0


def test_velocity_is_the_change_of_place() -> None:
    motion = simulate(scene([floor(), *plume(excess=50.0).bodies()], seconds=0.5, fps=64))
    moved = (motion.poses[2:, 0, :3] - motion.poses[:-2, 0, :3]) * 32
    np.testing.assert_allclose(motion.velocities[1:-1, 0, :3], moved, atol=0.02)


def test_other_things_that_move_are_refused() -> None:
    with pytest.raises(ValueError, match="expected puffs of smoke and one tank"):
        simulate(scene([glass_tank((1.0, 1.0, 1.0)), ball(0.2, (0.0, 0.0, 0.5))], seconds=0.1, fps=16))
