"""The families of soft solids: what frame 0 decides, valid scenes over all ranges, clips whose annotation fits."""

import re

import numpy as np
import pytest

from components.parameters.categories.deformable import Deformable
from components.simulation.clips import configuration_clips
from components.simulation.families import load_category
from components.simulation.families.deformable.bounce import Bounce
from components.simulation.families.deformable.jelly import Jelly
from components.simulation.families.deformable.pillow import Pillow
from components.simulation.families.deformable.squeeze import PLATE, Squeeze
from components.simulation.guard import guard
from components.simulation.props.blobs import CLEARANCE, GELS
from components.simulation.props.foam import PATTERNS
from components.simulation.rotations import matrices
from components.simulation.scene import Body
from components.simulation.things.soft import Guided, SoftBody
from tests.simulation.families.chain import LAPTOP, first_scene, in_picture, solved, with_section
from tests.simulation.families.drawn import dynamic_extent
from tests.simulation.families.warped import check_warp
from tests.simulation.soft_bodies import surface_volumes

RANGES = LAPTOP.simulation.deformable
REAL = LAPTOP.simulation.physics.real
FAMILIES = sorted(load_category("deformable").families)
OUTCOME = re.compile(r"\b(fall|roll|bounce|press|flatten|sink|rise|will|until|then)(s|es|ing|ed)?\b")
LOW = {"radius": 0.28, "young": 15e3, "foam": 12e3, "drop_height": 0.05, "ball_radius": 0.14, "ball_density": 150.0,
       "plate_density": 200.0, "ramp_angle": 8.0}  # fmt: skip
HIGH = {"radius": 0.45, "young": 60e3, "foam": 40e3, "drop_height": 1.2, "ball_radius": 0.3, "ball_density": 1000.0,
        "plate_density": 1200.0, "ramp_angle": 30.0}  # fmt: skip
HARD = {**HIGH, "radius": 0.28, "ball_radius": 0.14}
HEAVY = {**HIGH, "young": 15e3, "foam": 12e3}


@pytest.mark.parametrize("family", FAMILIES)
def test_both_takes_of_a_draw_are_valid_and_in_the_picture(family: str) -> None:
    params = with_section("deformable", family, {}, frames=5)
    for index, take in ((1, 0), (2, 1)):
        scene = first_scene(params, "deformable", index=index, take=take)
        motion = solved(scene)
        guard(scene, motion)
        assert in_picture(scene, motion)
        assert scene.future_determined


@pytest.mark.long
@pytest.mark.parametrize("ends", [LOW, HIGH, HARD, HEAVY], ids=["low", "high", "hard", "heavy"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_ends_of_all_ranges_make_valid_scenes(family: str, ends: dict[str, float]) -> None:
    changes = {name: (value, value) for name, value in ends.items()}
    Deformable.model_validate({**RANGES.model_dump(), **changes})
    params = with_section("deformable", family, changes, frames=33)
    for index in range(3):
        scene = first_scene(params, "deformable", index=index)
        guard(scene, solved(scene))


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_draws_pass_the_guard_move_and_gels_keep_their_volume(family: str) -> None:
    params = with_section("deformable", family, {}, frames=33)
    for index in range(12):
        scene = first_scene(params, "deformable", index=index)
        motion = solved(scene)
        guard(scene, motion)
        assert dynamic_extent(motion) > 0.2
        if family != "pillow":  # foam has pores
            held = surface_volumes(scene, motion)
            assert np.abs(held / held[0] - 1).max() < 0.02


@pytest.mark.parametrize("family", FAMILIES)
def test_unknown_physics_makes_valid_scenes(family: str) -> None:
    params = with_section("deformable", family, {}, frames=9)
    splits = params.simulation.splits
    train = splits.train.model_copy(update={"physics": "unknown"})
    simulation = params.simulation.model_copy(update={"splits": splits.model_copy(update={"train": train})})
    scene = first_scene(params.model_copy(update={"simulation": simulation}), "deformable", index=2)
    guard(scene, solved(scene))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_second_take_is_another_initial_state(family: str) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        first = load_category("deformable").families[family].draw(rng, LAPTOP.simulation, REAL)
        second = first.perturbed(rng, 0.02)
        moved = [
            np.linalg.norm(np.subtract(one.position, other.position))
            for one, other in zip(first.bodies(), second.bodies(), strict=True)
            if one.dynamic
        ]
        assert 1e-4 < max(moved) < 0.3


def test_a_jelly_begins_at_its_height_above_the_floor() -> None:
    for seed in range(10):
        configuration = Jelly.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        (body,) = configuration.bodies()
        assert isinstance(body, SoftBody)
        assert body.points[:, 2].min() == pytest.approx(configuration.height + CLEARANCE)
        assert RANGES.drop_height[0] <= configuration.height <= RANGES.drop_height[1]


def test_a_soft_ball_begins_at_its_height_above_the_ramp() -> None:
    for seed in range(10):
        configuration = Bounce.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        ramp, ball = configuration.bodies()
        assert isinstance(ramp, Body)
        assert isinstance(ball, SoftBody)
        local = (ball.points - np.array(ramp.position)) @ matrices(np.array([ramp.orientation]))[0]
        assert local[:, 2].min() == pytest.approx(ramp.size[2] + CLEARANCE + configuration.height, abs=0.01)
        assert abs(ball.position[0]) < 2.0


def test_a_cushion_lies_on_the_floor_under_its_ball() -> None:
    for seed in range(10):
        configuration = Pillow.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        cushion, ball = configuration.bodies()
        assert isinstance(cushion, SoftBody)
        assert isinstance(ball, Body)
        lowest = cushion.points[:, 2].min()
        assert (np.isclose(cushion.points[:, 2], lowest)).sum() == 13 * 9  # flat below
        assert lowest == pytest.approx(cushion.thickness)
        assert ball.position[2] - ball.size[0] == pytest.approx(
            cushion.points[:, 2].max() + cushion.thickness + configuration.gap
        )
        assert (np.hypot(*(cushion.points[:, :2] - ball.position[:2]).T) < 0.1).any()


def test_a_plate_hangs_level_between_its_posts_above_the_blob() -> None:
    for seed in range(10):
        configuration = Squeeze.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        left, right, blob, plate = configuration.bodies()
        assert isinstance(blob, SoftBody)
        assert isinstance(plate, Guided)
        assert left.position[0] < plate.position[0] - PLATE[0] < plate.position[0] + PLATE[0] < right.position[0]
        assert plate.position[2] - PLATE[2] == pytest.approx(blob.points[:, 2].max() + CLEARANCE + configuration.gap)
        assert blob.points[:, 2].min() == pytest.approx(CLEARANCE)


@pytest.mark.slow
def test_a_heavier_plate_presses_a_gel_flatter() -> None:
    lows = []
    for density in (400.0, 1000.0):
        params = with_section("deformable", "squeeze", {"plate_density": (density, density)}, frames=13)
        lows.append(solved(first_scene(params, "deformable", index=1)).poses[:, 1, 2].min())
    assert lows[1] < lows[0] - 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_captions_tell_frame_0_and_not_the_outcome(family: str) -> None:
    kind = load_category("deformable").families[family]
    view = first_scene(with_section("deformable", family, {}, frames=5), "deformable").camera.extrinsics[0]
    seen = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        caption = kind.draw(rng, LAPTOP.simulation, REAL).captions(rng, view).caption
        assert any(material in caption.lower() for material in [*GELS, *PATTERNS])
        assert "{" not in caption
        assert not OUTCOME.search(caption.lower()), caption
        seen.add(caption)
    assert len(seen) > 8


def test_clips_are_whole_and_their_flow_fits_the_picture() -> None:
    params = with_section("deformable", "pillow", {}, frames=9)
    clips = list(configuration_clips(params, split="train", category="deformable", index=0))
    assert {thing.kind for thing in clips[0].objects} == {"deformable", "rigid"}
    scene = first_scene(with_section("deformable", "jelly", {}, frames=13), "deformable", index=3)
    check_warp(scene, solved(scene))
