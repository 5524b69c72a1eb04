"""The families of rigid bodies: what frame 0 decides."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.errors import ParametersError
from components.parameters.loader import load_params
from components.parameters.simulation import Simulation
from components.simulation.environment import Surroundings
from components.simulation.families.rigid.drop import Drop
from components.simulation.families.rigid.ramp import Ramp
from components.simulation.families.rigid.topple import Topple
from components.simulation.guard import penetration
from components.simulation.meshes import shape_mesh
from components.simulation.props.balance import BALANCED, draw_lean
from components.simulation.props.objects import MATERIALS, volume
from components.simulation.props.placement import GAP
from components.simulation.rotations import matrices
from components.simulation.scene import Body, FloatArray, Motion, Shape
from components.simulation.solvers.bullet import simulate
from tests.simulation.bodies import floor, scene

LAPTOP = load_params(Path(__file__).parents[3] / "profiles" / "laptop.yaml").simulation
REAL = LAPTOP.physics.real


def generators(count: int) -> Iterator[np.random.Generator]:
    return (np.random.default_rng(seed) for seed in range(count))


def surface(body: Body) -> FloatArray:
    """Vertices (V,3) of a body in the world."""
    turn = matrices(np.array([body.orientation]))[0]
    return np.asarray(shape_mesh(body.shape, body.size).vertices @ turn.T + body.position, np.float64)


def solved(bodies: tuple[Body, ...], seconds: float) -> Motion:
    return simulate(scene([floor(), *bodies], seconds=seconds, fps=16))


def uprightness(motion: Motion) -> FloatArray:
    """Cosine of the angle between the column's axis and the vertical."""
    return matrices(motion.poses[:, 0, 3:])[:, 2, 2]


@pytest.mark.parametrize("lean", [-6.0, -3.0, -1.0, -0.5])
def test_a_column_short_of_balance_stands_back(lean: float) -> None:
    column = Topple.draw(np.random.default_rng(4), LAPTOP, REAL)
    thing = replace(column.thing, restitution=0.0)
    assert uprightness(solved(replace(column, thing=thing, lean=lean).bodies(), 6.0))[-1] > 0.999


@pytest.mark.parametrize("lean", [0.5, 1.0, 4.0, 10.0])
def test_a_column_beyond_balance_falls_where_it_leans(lean: float) -> None:
    column = replace(Topple.draw(np.random.default_rng(4), LAPTOP, REAL), lean=lean)
    motion = solved(column.bodies(), 4.0)
    moved = motion.poses[-1, 0, :2] - motion.poses[0, 0, :2]
    towards = np.array([np.cos(np.radians(column.yaw)), np.sin(np.radians(column.yaw))])
    assert abs(uprightness(motion)[-1]) < 0.05
    assert moved @ towards > 0.3


def test_every_drawn_column_does_what_its_lean_says() -> None:
    for rng in generators(40):
        column = Topple.draw(rng, LAPTOP, REAL)
        fallen = uprightness(solved(column.bodies(), 2.5))[-1] < 0.5
        assert fallen == (column.lean > 0)


def test_the_second_take_of_a_column_stays_on_its_side_of_balance() -> None:
    for rng in generators(200):
        column = Topple.draw(rng, LAPTOP, REAL)
        assert np.sign(column.perturbed(rng, 0.1).lean) == np.sign(column.lean)


def test_columns_touch_the_floor_with_one_edge() -> None:
    for rng in generators(30):
        (body,) = Topple.draw(rng, LAPTOP, REAL).bodies()
        heights = np.unique(surface(body)[:, 2].round(9))
        assert heights[0] == pytest.approx(0.0, abs=1e-9)
        assert heights[1] > 0.01


@given(first=st.floats(-40, 40), second=st.floats(-40, 40), seed=st.integers(0, 1000))
def test_leans_are_drawn_from_their_range_without_balance(first: float, second: float, seed: int) -> None:
    low, high = sorted((first, second))
    assume(low < -BALANCED or high > BALANCED)
    rng = np.random.default_rng(seed)
    leans = np.array([draw_lean(rng, (low, high)) for _ in range(20)])
    assert low <= leans.min()
    assert leans.max() <= high
    assert np.abs(leans).min() >= BALANCED


def test_leans_are_uniform_over_both_sides_of_balance() -> None:
    rng = np.random.default_rng(0)
    leans = np.array([draw_lean(rng, (-4.0, 10.0)) for _ in range(2000)])
    assert (leans < 0).mean() == pytest.approx(2 / 10, abs=0.03)
    assert leans[leans < 0].mean() == pytest.approx(-3.0, abs=0.1)
    assert leans[leans > 0].mean() == pytest.approx(6.0, abs=0.2)


def test_what_is_on_a_ramp_touches_it() -> None:
    for rng in generators(40):
        first = Ramp.draw(rng, LAPTOP, REAL)
        for configuration in (first, first.perturbed(rng, 0.01)):
            ramp, thing = configuration.bodies()
            pose = np.array([[*ramp.position, *ramp.orientation]])
            turn, place = matrices(pose[:, 3:])[0], pose[0, :3]
            local = (np.array(thing.position) - place) @ turn
            height = thing.size[2] if thing.shape is Shape.BOX else thing.size[0]
            assert local[2] == pytest.approx(ramp.size[2] + height, abs=1e-9)
            assert abs(local[0]) + height < ramp.size[0]
            assert penetration(surface(thing)[None], ramp, pose).max() < 2e-3


def test_the_foot_of_a_ramp_is_on_the_floor() -> None:
    for rng in generators(20):
        configuration = Ramp.draw(rng, LAPTOP, REAL)
        ramp, _ = configuration.bodies()
        turn = matrices(np.array([ramp.orientation]))[0]
        foot = np.array([ramp.size[0], 0.0, ramp.size[2]]) @ turn.T + ramp.position
        assert foot[2] == pytest.approx(0.0, abs=1e-9)


def test_everything_on_a_ramp_goes_downhill_within_a_second() -> None:
    for rng in generators(40):
        configuration = Ramp.draw(rng, LAPTOP, REAL)
        motion = solved(configuration.bodies(), 1.0)
        turn = np.radians(configuration.yaw)
        way = (motion.poses[-1, 0, :3] - motion.poses[0, 0, :3]) @ [np.cos(turn), np.sin(turn), 0.0]
        assert way > 0.3


def with_objects(count: int) -> Simulation:
    return LAPTOP.model_copy(update={"rigid": LAPTOP.rigid.model_copy(update={"objects": (count, count)})})


def test_dropped_objects_start_apart_and_above_the_floor() -> None:
    for rng in generators(60):
        drop = Drop.draw(rng, with_objects(2), REAL)
        first, second = drop.bodies()
        apart = np.linalg.norm(np.subtract(first.position, second.position))
        assert apart >= sum(thing.bounding_radius for thing in drop.objects) + GAP
        assert min(surface(first)[:, 2].min(), surface(second)[:, 2].min()) >= LAPTOP.rigid.drop_height[0] - 2e-3


def test_the_lowest_point_of_a_dropped_object_is_in_its_range() -> None:
    low, high = LAPTOP.rigid.drop_height
    for rng in generators(60):
        drop = Drop.draw(rng, LAPTOP, REAL)
        for thing, body in zip(drop.objects, drop.bodies(), strict=True):
            bottom = surface(body)[:, 2].min()
            assert body.position[2] - thing.depth(body.orientation) == pytest.approx(bottom, abs=2e-3)
            assert low - 2e-3 <= bottom <= high + 2e-3


def test_take_2_keeps_half_of_the_clearance() -> None:
    for rng in generators(40):
        drop = Drop.draw(rng, LAPTOP, REAL)
        for body, other in zip(drop.bodies(), drop.perturbed(rng, 0.5).bodies(), strict=True):
            assert surface(other)[:, 2].min() > surface(body)[:, 2].min() / 2 - 2e-3


def test_more_objects_than_there_is_room_for_are_refused() -> None:
    with pytest.raises(ParametersError, match="no room for"):
        for rng in generators(20):
            Drop.draw(rng, with_objects(6), REAL)


def test_dropped_objects_fall_freely_until_something_is_met() -> None:
    for rng in generators(20):
        drop = Drop.draw(rng, with_objects(1), REAL)
        motion = solved(drop.bodies(), 1.0)
        t = np.arange(17) / 16
        expected = drop.positions[0][2] - 9.81 * t**2 / 2
        free = expected > drop.objects[0].bounding_radius
        np.testing.assert_allclose(motion.poses[free, 0, 2], expected[free], atol=1e-9)


def test_mass_is_density_times_volume_and_material_orders_the_densities() -> None:
    densities: dict[str, list[float]] = {name: [] for name in MATERIALS}
    for rng in generators(80):
        drop = Drop.draw(rng, LAPTOP, REAL)
        for thing, body in zip(drop.objects, drop.bodies(), strict=True):
            assert body.mass == pytest.approx(thing.density * volume(thing.shape, thing.size))
            assert LAPTOP.rigid.density[0] <= thing.density <= LAPTOP.rigid.density[1]
            assert REAL.restitution[0] <= thing.restitution <= REAL.restitution[1]
            densities[thing.material].append(thing.density)
    assert max(densities["foam"]) < min(densities["wooden"]) < max(densities["wooden"]) < min(densities["rubber"])


def test_the_floor_is_near_grey_and_not_flat() -> None:
    for rng in generators(20):
        ground = Surroundings.draw(rng, LAPTOP.environment).floor()
        assert ground.position[2] + ground.size[2] == 0.0
        assert len(set(ground.texture.colour)) == 1
        assert ground.texture.second_colour[0] < 0.8 * ground.texture.colour[0]
