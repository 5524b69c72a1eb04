"""The families of cloth: what frame 0 decides, valid scenes over all ranges, and clips whose annotation fits."""

import re
from dataclasses import replace

import numpy as np
import pytest

from components.parameters.categories.garment import Garment
from components.simulation.clips import configuration_clips
from components.simulation.families import load_category
from components.simulation.families.garment.catch import Catch
from components.simulation.families.garment.curtain import Curtain
from components.simulation.families.garment.drape import Drape
from components.simulation.families.garment.flag import Flag
from components.simulation.guard import guard
from components.simulation.props.fabric import MATERIALS, Fabric
from components.simulation.props.looks import draw_colours
from components.simulation.props.stands import plinth_height
from components.simulation.scene import Body
from components.simulation.things.membrane import Membrane
from tests.simulation.families.chain import LAPTOP, first_scene, in_picture, solved, with_section
from tests.simulation.families.warped import check_warp

GARMENT = LAPTOP.simulation.garment
REAL = LAPTOP.simulation.physics.real
FAMILIES = sorted(load_category("garment").families)
LOW = {"size": 0.6, "density": 0.1, "stiffness": 500.0, "bending": 1e-6, "friction": 0.0, "gap": 0.05, "wind": 1.0,
       "ball_radius": 0.12, "ball_density": 5.0, "drop_height": 0.1}  # fmt: skip
HIGH = {"size": 1.8, "density": 1.0, "stiffness": 50.0, "bending": 1e-2, "friction": 1.0, "gap": 1.0, "wind": 12.0,
        "ball_radius": 0.35, "ball_density": 200.0, "drop_height": 1.5}  # fmt: skip


OUTCOME = re.compile(
    r"\b(fall|drape|catch|bounce|hit|stop|fold|crumple|flutter|wave|sag|slide|slip|roll|will|until|then)(s|es|ing|ed|ped)?\b"
)


def cloths(things: tuple[object, ...]) -> list[Membrane]:
    return [thing for thing in things if isinstance(thing, Membrane)]


@pytest.mark.parametrize("family", FAMILIES)
def test_both_takes_of_a_draw_are_valid_and_in_the_picture(family: str) -> None:
    params = with_section("garment", family, {}, frames=5)
    for take in (0, 1):
        scene = first_scene(params, "garment", index=3, take=take)
        motion = solved(scene)
        guard(scene, motion)
        assert in_picture(scene, motion)
        assert scene.future_determined
        moved = np.linalg.norm(motion.vertices[-1] - motion.vertices[0], axis=1)
        assert moved.max() > 0.02


@pytest.mark.long
@pytest.mark.parametrize("ends", [LOW, HIGH], ids=["low", "high"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_ends_of_all_ranges_make_valid_scenes(family: str, ends: dict[str, float]) -> None:
    changes = {name: (value, value) for name, value in ends.items()}
    Garment.model_validate({**GARMENT.model_dump(), **changes})
    params = with_section("garment", family, changes, frames=33)
    for index in range(3):
        scene = first_scene(params, "garment", index=index)
        guard(scene, solved(scene))


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_draws_pass_the_guard(family: str) -> None:
    params = with_section("garment", family, {}, frames=33)
    for index in range(12):
        scene = first_scene(params, "garment", index=index)
        guard(scene, solved(scene))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_second_take_is_another_initial_state(family: str) -> None:
    rng = np.random.default_rng(1)
    drawn = load_category("garment").families[family].draw(rng, LAPTOP.simulation, REAL)
    other = drawn.perturbed(rng, 0.02)
    assert other != drawn
    first = [thing.points if isinstance(thing, Membrane) else np.array(thing.position) for thing in drawn.bodies()]
    second = [thing.points if isinstance(thing, Membrane) else np.array(thing.position) for thing in other.bodies()]
    moved = max(np.abs(a - b).max() for a, b in zip(first, second, strict=True))
    assert 1e-5 < moved < 0.3


def test_the_material_orders_density_and_stiffness() -> None:
    rng = np.random.default_rng(0)
    drawn = [Fabric.draw(rng, GARMENT, "red") for _ in range(80)]
    by_name = {name: [fabric for fabric in drawn if fabric.material == name] for name in MATERIALS}
    assert max(one.density for one in by_name["silk"]) < min(one.density for one in by_name["denim"])
    assert max(one.bending for one in by_name["silk"]) < min(one.bending for one in by_name["denim"])
    assert all(GARMENT.stiffness[0] <= one.stiffness <= GARMENT.stiffness[1] for one in drawn)


def test_a_cloth_to_drape_begins_above_its_obstacle() -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        drawn = Drape.draw(rng, LAPTOP.simulation, REAL)
        for configuration in (drawn, drawn.perturbed(rng, 0.1)):
            (cloth,) = cloths(configuration.bodies())
            assert (
                cloth.points[:, 2].min() > plinth_height(configuration.shape, configuration.obstacle) + cloth.thickness
            )
            assert cloth.mass == pytest.approx(configuration.fabric.density * configuration.size**2)


def test_a_flag_is_held_along_its_pole_and_flies_down_the_wind() -> None:
    drawn = Flag.draw(np.random.default_rng(2), LAPTOP.simulation, REAL)
    (flag,) = cloths(drawn.bodies())
    pole = next(thing for thing in drawn.bodies() if isinstance(thing, Body))
    held = flag.points[flag.pinned]
    assert len(held) == round(drawn.size[1] / 0.05) + 1
    np.testing.assert_allclose(np.hypot(*(held[:, :2] - pole.position[:2]).T), pole.size[0], atol=1e-9)
    assert (np.array(flag.position) - pole.position) @ drawn.way == pytest.approx(drawn.size[0] / 2, rel=0.1)
    assert np.dot(flag.air.wind, drawn.way) == pytest.approx(drawn.wind)


def test_a_ball_to_be_caught_begins_above_the_cloth() -> None:
    for seed in range(20):
        drawn = Catch.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        (cloth,), ball = cloths(drawn.bodies()), drawn.bodies()[-1]
        assert isinstance(ball, Body)
        assert ball.position[2] - ball.size[0] - drawn.level == pytest.approx(drawn.gap + cloth.thickness)
        assert cloth.pinned.sum() == 4 * 6


@pytest.mark.slow
def test_a_ball_that_rolls_is_stopped_by_a_curtain_or_lifts_it() -> None:
    drawn = Curtain.draw(np.random.default_rng(5), LAPTOP.simulation, REAL)
    params = with_section("garment", "curtain", {}, frames=33)
    scene = replace(first_scene(params, "garment"), bodies=(first_scene(params, "garment").bodies[0], *drawn.bodies()))
    motion = solved(scene)
    guard(scene, motion)
    cloth, ball = drawn.bodies()[-2:]
    assert isinstance(cloth, Membrane)
    assert isinstance(ball, Body)
    own = np.unique(motion.faces[motion.face_body == 3])
    centre = motion.poses[:, None, 1, :3]
    apart = np.linalg.norm(motion.vertices[:, own] - centre, axis=2).min(axis=1)
    assert apart.min() > ball.size[0]
    assert apart.min() < ball.size[0] + 2 * cloth.thickness  # they meet


@pytest.mark.parametrize("family", FAMILIES)
def test_captions_name_the_cloth_and_what_moves_and_no_outcome(family: str) -> None:
    kind = load_category("garment").families[family]
    seen = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        drawn = kind.draw(rng, LAPTOP.simulation, REAL)
        view = first_scene(with_section("garment", family, {}, frames=5), "garment").camera.extrinsics[0]
        captions = drawn.captions(rng, view)
        assert any(material in captions.caption for material in MATERIALS)
        assert "{" not in captions.caption
        assert not OUTCOME.search(captions.caption_initial.lower()), captions.caption_initial
        assert len(captions.caption_initial) > len(captions.caption)
        seen.add(captions.caption)
    assert len(seen) > 8


def test_two_things_of_a_scene_have_different_colours() -> None:
    for seed in range(20):
        drawn = Catch.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        assert drawn.fabric.colour != drawn.ball.colour
    assert len(set(draw_colours(np.random.default_rng(0), 2))) == 2


def test_clips_are_whole_and_their_flow_fits_the_picture() -> None:
    params = with_section("garment", "catch", {}, frames=9)
    clips = list(configuration_clips(params, split="train", category="garment", index=0))
    assert {thing.kind for thing in clips[0].objects} == {"deformable", "rigid"}
    assert clips[0].meta.solver == "warp-lang"
    scene = first_scene(with_section("garment", "catch", {}, frames=9), "garment")
    check_warp(scene, solved(scene))
