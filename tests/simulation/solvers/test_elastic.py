"""Soft solids against formulas: free flight, stiffness, volume, momentum, energy, and nothing passes through."""

from dataclasses import fields, replace

import numpy as np
import pytest

from components.simulation.guard import guard
from components.simulation.scene import FloatArray, Motion, Shape, Thing
from components.simulation.solvers.elastic import STEPS_PER_SECOND, simulate
from components.simulation.things.soft import Guided
from components.simulation.things.tetrahedra import ball, box, cylinder, volumes
from tests.simulation.bodies import G, floor, scene, thing
from tests.simulation.bodies import ball as rigid_ball
from tests.simulation.soft_bodies import elastic, energies, lifted, surface_volumes

WEIGHTLESS = (0.0, 0.0, 0.0)
SOLIDS = {
    "box": (box((0.3, 0.25, 0.2), (4, 4, 4)), 8 * 0.3 * 0.25 * 0.2),
    "ball": (ball(0.35, 4), 4 / 3 * np.pi * 0.35**3),
    "cylinder": (cylinder(0.3, 0.5, 4), np.pi * 0.3**2 * 0.5),
}


def momentum(things: list[Thing], motion: Motion) -> FloatArray:
    masses = np.array([one.mass for one in things if one.dynamic])
    return np.asarray((masses[:, None] * motion.velocities[:, :, :3]).sum(axis=1), np.float64)


def plate(height: float, *, mass: float = 60.0) -> Guided:
    body = thing(Shape.BOX, (0.6, 0.5, 0.05), (0.0, 0.0, height + 0.05), mass=mass)
    return Guided(**{field.name: getattr(body, field.name) for field in fields(body)})


@pytest.mark.parametrize("name", list(SOLIDS))
def test_cells_fill_the_solid_and_faces_close_it(name: str) -> None:
    solid, volume = SOLIDS[name]
    content = volumes(solid.vertices, solid.cells)
    assert content.min() > 0.4 * content.mean()
    assert content.sum() == pytest.approx(volume, rel=0.04)  # polyhedra lie inside of round shapes
    corners = solid.vertices[solid.faces]
    enclosed = np.einsum("fi,fi->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert enclosed == pytest.approx(content.sum(), rel=1e-9)
    assert len(np.unique(solid.faces)) - len(solid.faces) / 2 == 2  # Euler's formula, of a closed surface
    assert len(np.unique(solid.sides)) == {"box": 6, "ball": 1, "cylinder": 3}[name]


@pytest.mark.parametrize("name", list(SOLIDS))
def test_free_fall_is_exact(name: str) -> None:
    start = (0.3, 0.1, 0.5)
    made = scene([lifted(SOLIDS[name][0], elastic(3e4), height=2.0, velocity=start)], seconds=0.5, fps=16)
    motion = simulate(made)
    t = np.arange(made.frames)[:, None] / made.fps
    gravity = np.array([0.0, 0.0, -G])
    fallen = motion.poses[:, 0, :3] - motion.poses[0, 0, :3]
    np.testing.assert_allclose(fallen, np.array(start) * t + gravity * t**2 / 2, atol=1e-6)
    np.testing.assert_allclose(motion.velocities[:, 0, :3], np.array(start) + gravity * t, atol=1e-6)


@pytest.mark.parametrize("poisson", [0.25, 0.45, 0.497])
def test_a_column_sags_by_its_weight(poisson: float) -> None:
    length, young = 0.8, 2e5
    column = box((0.1, 0.1, length / 2), (2, 2, 8))
    material = elastic(young, poisson=poisson, damping=0.02)
    motion = simulate(scene([floor(friction=0.0), lifted(column, material)], seconds=2.5, fps=4))
    own = motion.face_body == 1
    top = motion.vertices[:, np.unique(motion.faces[own]), 2].max(axis=1)
    assert top[0] - top[-1] == pytest.approx(1000.0 * G * length**2 / (2 * young), rel=0.03)
    assert np.abs(motion.velocities[-1]).max() < 1e-5


@pytest.mark.parametrize("name", list(SOLIDS))
def test_a_gel_that_falls_keeps_its_volume_within_two_percent(name: str) -> None:
    made = scene([floor(), lifted(SOLIDS[name][0], elastic(2e4, damping=0.004), height=0.9)], seconds=1.0, fps=96)
    motion = simulate(made)
    held = surface_volumes(made, motion)
    assert np.abs(held / held[0] - 1).max() < 0.02
    assert np.ptp(motion.vertices[48:, motion.faces[motion.face_body == 1], 2].max(axis=(1, 2))) > 0.05  # it wobbles
    assert motion.vertices[:, motion.faces[motion.face_body == 1], 2].min() > 0.0
    guard(made, motion)


def test_a_soft_body_that_swings_keeps_momentum_and_energy() -> None:
    column = lifted(box((0.1, 0.1, 0.3), (1, 1, 4)), elastic(5e4, poisson=0.4), velocity=(0.5, -0.3, 0.2))
    stretched = column.points * (1.0, 1.0, 1.15) + 0.05 * column.points[:, [2, 0, 1]] ** 2
    made = scene([replace(column, points=stretched)], seconds=0.5, fps=960, gravity=WEIGHTLESS)
    motion = simulate(made)
    np.testing.assert_allclose(motion.velocities[:, 0, :3], np.tile([0.5, -0.3, 0.2], (481, 1)), atol=1e-9)
    energy = energies(made, motion)
    swings = energy[0] - column.mass * 0.38 / 2
    assert np.abs(energy - energy[0]).max() < 0.01 * swings


def test_viscosity_takes_what_the_formula_says_of_a_wave() -> None:
    length, tau = 1.0, 0.01
    rod = lifted(box((length / 2, 0.1, 0.1), (10, 1, 1)), elastic(5e4, poisson=0.0, damping=tau))
    stretched = rod.points + 1e-4 * np.sin(np.pi * rod.solid.vertices[:, :1] / length) * [1.0, 0.0, 0.0]
    motion = simulate(scene([replace(rod, points=np.asarray(stretched))], seconds=1.0, fps=480, gravity=WEIGHTLESS))
    at_end = motion.reference[:, 0] > length / 2 - 1e-9
    swing = motion.vertices[:, at_end, 0].mean(axis=1) - length / 2
    frequency = np.sqrt(5e4 / 1000.0) / (2 * length)  # of the longest wave; at Poisson's ratio 0, of shear and stretch
    peaks = [swing[round(n / frequency * 480) - 8 :][:17].max() for n in (1, 2, 3)]
    np.testing.assert_allclose(np.diff(np.log(peaks)), -2 * np.pi**2 * frequency * tau, rtol=0.03)


def test_energy_never_grows_after_an_impact() -> None:
    column = lifted(box((0.15, 0.15, 0.2), (1, 1, 2)), elastic(5e4, poisson=0.4), height=0.4)
    made = scene([floor(), column], seconds=1.2, fps=960)
    motion = simulate(made)
    energy = energies(made, motion)
    base = column.mass * G * 0.2
    assert motion.velocities[:, 0, 2].max() > 0.5  # it came back up
    assert (np.maximum.accumulate(energy[::-1])[::-1] - energy).max() < 0.01 * (energy[0] - base)


def test_a_ball_and_a_free_cushion_share_momentum() -> None:
    cushion = lifted(box((0.4, 0.4, 0.15), (6, 6, 2)), elastic(2e4, poisson=0.25, density=90.0), height=1.0)
    things: list[Thing] = [cushion, rigid_ball(0.2, (0.1, 0.05, 1.6), velocity=(0.3, 0.0, -2.0), mass=10.0)]
    motion = simulate(scene(things, gravity=WEIGHTLESS, fps=48))
    total = momentum(things, motion)
    assert motion.velocities[-1, 1, 2] > -1.9  # they met
    assert np.abs(total - total[0]).max() < 1e-6


@pytest.mark.slow
def test_a_cushion_bears_a_ball_and_a_plate_comes_to_rest_on_a_gel() -> None:
    cushion = lifted(box((0.5, 0.5, 0.2), (8, 8, 3)), elastic(3e4, poisson=0.25, density=90.0, damping=0.005))
    borne = scene([floor(), cushion, rigid_ball(0.2, (0.0, 0.0, 0.62), mass=10.0)], seconds=2.0, fps=16)
    motion = simulate(borne)
    guard(borne, motion)
    assert 0.5 < motion.poses[-1, 1, 2] < 0.6  # it sinks in, by less than half
    pressed = scene(
        [floor(), lifted(box((0.2, 0.2, 0.2), (4, 4, 4)), elastic(3e4, damping=0.005)), plate(0.6)], seconds=2.0, fps=16
    )
    motion = simulate(pressed)
    guard(pressed, motion)
    np.testing.assert_array_equal(motion.poses[:, 1, :2], 0.0)
    load = 60.0 * G / (0.4 * 0.4)
    strain = (0.406 - (motion.poses[-8:, 1, 2].mean() - 0.05)) / 0.4
    assert load / 3e4 * 0.6 < strain < load / 3e4 * 1.3  # its ends stick, which stiffens it; its weight adds a little


def test_a_guided_body_falls_freely_and_stops_at_the_floor() -> None:
    things = [floor(), lifted(SOLIDS["box"][0], elastic(3e4), shift=5.0), plate(0.4)]
    motion = simulate(scene(things, seconds=0.5, fps=48))
    t = np.arange(13) / 48
    np.testing.assert_allclose(motion.poses[:13, 1, 2], 0.45 - G * t**2 / 2, atol=1e-9)
    assert motion.poses[-1, 1, 2] == pytest.approx(0.05, abs=1e-9)


@pytest.mark.parametrize("speed", [4.0, 8.0])
def test_a_fast_gel_does_not_pass_through_the_floor(speed: float) -> None:
    made = scene(
        [floor(), lifted(SOLIDS["ball"][0], elastic(2e4, damping=0.004), height=0.3, velocity=(1.0, 0.0, -speed))],
        seconds=0.5,
        fps=96,
    )
    guard(made, simulate(made))


def test_what_the_steps_do_not_resolve_is_refused() -> None:
    for material in (elastic(1e7), elastic(3e4, damping=0.5)):
        with pytest.raises(ValueError, match=r"needs shorter steps than 0\.26 ms in cells .* expected a softer"):
            simulate(scene([lifted(SOLIDS["box"][0], material)], fps=16))
    with pytest.raises(ValueError, match=f"divisor of {STEPS_PER_SECOND}"):
        simulate(scene([lifted(SOLIDS["box"][0], elastic(3e4))], fps=25))


def test_a_second_dynamic_body_is_refused() -> None:
    things = [lifted(SOLIDS["box"][0], elastic(3e4)), rigid_ball(0.2, (0.0, 0.0, 2.0)), plate(3.0)]
    with pytest.raises(ValueError, match="expected one ball or one guided body at most"):
        simulate(scene(things, fps=16))
