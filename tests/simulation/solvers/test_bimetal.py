"""Strips against closed forms: heat along a bar, Timoshenko's curvature, sag under their own weight."""

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from components.simulation.props.metals import EXPANDING, INVAR
from components.simulation.scene import FloatArray
from components.simulation.solvers.bimetal import CELLS, elastica, simulate, strip_temperatures
from components.simulation.solvers.conduction import Bar
from components.simulation.things.strip import Metal, Strip
from tests.simulation.bodies import GREY, G, ball, floor, scene


def strip(*, metal: Metal = EXPANDING["brass"], **changes: object) -> Strip:
    values: dict[str, object] = {
        "name": "strip",
        "texture": GREY,
        "position": (0.7, 0.0, 1.0),
        "mass": 10.0,
        "first": metal,
        "second": INVAR,
        "root": (0.0, 0.0, 1.0),
        "along": (1.0, 0.0, 0.0),
        "towards": (0.0, 0.0, 1.0),
        "length": 1.4,
        "width": 0.4,
        "thickness": 0.008,
        "cold": 20.0,
        "hot": 220.0,
        "rate": 300.0,
        "heated": (0.0, 1.0),
    }
    return Strip(**{**values, **changes})  # type: ignore[arg-type]


def middles(count: int) -> FloatArray:
    return (np.arange(count) + 0.5) / count


def held_bar(place: FloatArray, fourier: float) -> FloatArray:
    """Temperature of a bar from 20 degrees, one end held at 100 and one at 20, after D t / L^2."""
    n = np.arange(1, 2000)[:, None]
    waves = np.sin(n * np.pi * place) * np.exp(-((n * np.pi) ** 2) * fourier) / n
    return np.asarray(20 + 80 * (1 - place) - 160 / np.pi * waves.sum(axis=0), np.float64)


@pytest.mark.parametrize("fourier", [0.003, 0.02, 0.2])
def test_heat_of_a_bar_follows_the_fourier_series_within_a_tenth_of_a_kelvin(fourier: float) -> None:
    steps = 400
    bar = Bar(
        np.full(CELLS, 20.0), length=2.0, conductivity=100.0, capacity=2e6, ends=(100.0, 20.0),
        dt=fourier * 4.0 / 5e-5 / steps,
    )  # fmt: skip
    for _ in range(steps):
        bar.step()
    assert np.abs(bar.temperature - held_bar(middles(CELLS), fourier)).max() < 0.1


def test_a_bar_keeps_its_heat_and_gains_what_is_put_in() -> None:
    start = 20 + 80 * np.random.default_rng(0).random(CELLS)
    source = np.where(middles(CELLS) < 0.3, 1e8, 0.0)
    bar = Bar(start, length=1.0, conductivity=200.0, capacity=3e6, ends=(None, None), dt=0.01)
    for _ in range(500):
        bar.step(source)
    assert (bar.temperature - start).mean() == pytest.approx(5.0 * source.mean() / 3e6, rel=1e-10)


def timoshenko(first: Metal, second: Metal, *, warmer: float, thickness: float) -> float:
    """The paper's formula (4), in its general form: m is the ratio of the layers' thicknesses."""
    m, n = 1.0, first.modulus / second.modulus
    strained = 6 * (first.expansion - second.expansion) * warmer * (1 + m) ** 2
    return strained / (thickness * (3 * (1 + m) ** 2 + (1 + m * n) * (m**2 + 1 / (m * n))))


@pytest.mark.parametrize("metal", list(EXPANDING))
def test_a_strip_bends_by_timoshenkos_curvature_where_it_is_warm(metal: str) -> None:
    thing = strip(metal=EXPANDING[metal], heated=(0.3, 1.0))
    motion = simulate(scene([floor(), thing], seconds=1.0, fps=16, gravity=(0.0, 0.0, 0.0)))
    own = np.unique(motion.faces[motion.face_body == 1])[: 8 * (CELLS + 1)]
    line = motion.vertices[-1, own].reshape(CELLS + 1, 8, 3).mean(axis=1)
    way = np.diff(line, axis=0)
    turn = np.diff(np.unwrap(np.arctan2(way[:, 2], way[:, 0]))) / (thing.length / CELLS)
    heat = strip_temperatures(thing, frames=17, fps=16)[-1]
    at_edges = (heat[1:] + heat[:-1]) / 2
    expected = [timoshenko(thing.first, INVAR, warmer=t - 20, thickness=thing.thickness) for t in at_edges]
    assert max(expected) > 0.3
    np.testing.assert_allclose(turn, expected, atol=1e-3 * max(expected))


def test_a_strip_of_one_temperature_is_an_arc() -> None:
    points, angles = elastica(np.full(CELLS, 0.8), length=1.5, rigidity=1.0, weight=np.zeros(2))
    assert angles[-1] == pytest.approx(1.2)
    np.testing.assert_allclose(points[-1], [np.sin(1.2) / 0.8, (1 - np.cos(1.2)) / 0.8], rtol=1e-12)


def test_sag_under_the_own_weight_is_that_of_the_beams_formula_and_of_the_elastica() -> None:
    length, rigidity = 1.4, 5000.0
    small, _ = elastica(np.zeros(CELLS), length=length, rigidity=rigidity, weight=np.array([0.0, -10.0]))
    assert -small[-1, 1] == pytest.approx(10 * length**4 / 8 / rigidity, rel=1e-3)
    weight = 1500.0

    def moment(s: FloatArray, state: FloatArray) -> FloatArray:
        return np.stack([state[1], weight * (length - s) * np.cos(state[0]) / rigidity])

    ends = solve_bvp(
        moment, lambda a, b: np.array([a[0], b[1]]), np.linspace(0, length, 50), np.zeros((2, 50)), tol=1e-8
    )
    _, angles = elastica(np.zeros(CELLS), length=length, rigidity=rigidity, weight=np.array([0.0, -weight]))
    assert angles[-1] == pytest.approx(ends.y[0, -1], rel=1e-3)
    assert angles[-1] < -0.1


def test_a_cold_strip_stays_straight_under_its_own_weight() -> None:
    motion = simulate(scene([floor(), strip(rate=0.0)], seconds=0.25, fps=16))
    assert np.abs(motion.poses[:, 0, :3] - [0.7, 0.0, 1.0]).max() < 1e-9


def test_weight_holds_back_a_hanging_strip_and_helps_a_standing_one() -> None:
    aside = {
        (up, g): simulate(
            scene(
                [floor(), strip(along=(0.0, 0.0, up), towards=(1.0, 0.0, 0.0))],
                seconds=1.0, fps=16, gravity=(0.0, 0.0, -g),
            )
        ).poses[-1, 0, 0]
        for up in (-1.0, 1.0)
        for g in (0.0, 9.81)
    }  # fmt: skip
    assert 0.0 < aside[-1.0, 9.81] < aside[-1.0, 0.0]
    assert aside[1.0, 9.81] > aside[1.0, 0.0] == pytest.approx(aside[-1.0, 0.0])


def test_five_times_its_weight_is_borne_by_the_longest_and_thinnest_strip() -> None:
    for up in (-1.0, 1.0):
        thing = strip(length=1.6, thickness=0.007, along=(0.0, 0.0, up), towards=(1.0, 0.0, 0.0))
        motion = simulate(scene([floor(), thing], seconds=0.5, fps=16, gravity=(3 * G, 0.0, -4 * G)))
        assert np.isfinite(motion.vertices).all()


def test_no_part_gets_hotter_than_the_current_is_regulated_to() -> None:
    heat = strip_temperatures(strip(rate=400.0), frames=65, fps=16)
    assert 200 < heat.max() <= 220
    assert (np.diff(heat.max(axis=1)) >= 0).all()


@pytest.mark.parametrize("metal", list(EXPANDING))
def test_the_swing_that_rest_leaves_out_is_small(metal: str) -> None:
    """The slowest swing of the longest and thinnest strip, as an oscillator that follows the temperature."""
    thing = strip(metal=EXPANDING[metal], length=1.5, thickness=0.0075, rate=350.0)
    mass = (thing.first.density + INVAR.density) / 2 * thing.thickness
    omega = 3.516 / thing.length**2 * np.sqrt(thing.rigidity / mass)
    warmer = strip_temperatures(thing, frames=1001, fps=1000)[:, CELLS // 2] - thing.cold
    place = speed = furthest = 0.0
    for rest in warmer:
        speed += omega**2 * (rest - place) / 1000
        place += speed / 1000
        furthest = max(furthest, abs(place - rest))
    assert furthest < 0.07 * warmer[-1]


def test_the_skin_is_closed_and_its_normals_point_outwards() -> None:
    motion = simulate(scene([floor(), strip()], seconds=1.0, fps=16))
    own = motion.faces[motion.face_body == 1]
    for vertices, normals in ((motion.vertices[0], motion.normals[0]), (motion.vertices[-1], motion.normals[-1])):
        a, b, c = (vertices[own[:, corner]] for corner in range(3))
        facing = np.cross(b - a, c - a)
        assert np.einsum("fc,fc->f", a, facing).sum() / 6 == pytest.approx(1.4 * 0.4 * 0.008, rel=1e-3)
        assert (np.einsum("fkc,fc->fk", normals[own], facing) > 0).all()
        assert np.linalg.norm(normals[np.unique(own)], axis=1) == pytest.approx(1.0)


def test_other_things_that_move_are_refused() -> None:
    with pytest.raises(TypeError, match="thing is a Body that moves, expected strips"):
        simulate(scene([floor(), strip(), ball(0.2, (0.0, 0.0, 2.0))], seconds=0.1, fps=16))
