"""The families of rigid bodies that meet: collide, dominoes, stack, behind."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from components.simulation.clips import configuration_clips
from components.simulation.families import load_category
from components.simulation.families.rigid.behind import Behind
from components.simulation.families.rigid.collide import Collide
from components.simulation.families.rigid.dominoes import GAP, PIECES, Dominoes
from components.simulation.families.rigid.stack import Stack
from components.simulation.guard import guard
from components.simulation.rendering.renderer import render
from components.simulation.request import requested
from components.simulation.rotations import matrices
from components.simulation.scene import Body, FloatArray, Motion
from components.simulation.solvers.bullet import simulate
from tests.simulation.bodies import floor, scene
from tests.simulation.families.chain import LAPTOP, first_scene, in_picture, solved, with_section
from tests.simulation.families.drawn import drawn, dynamic_extent
from tests.simulation.families.warped import check_warp
from tests.simulation.test_request import PARAMS, REQUESTED

FAMILIES = ["behind", "collide", "dominoes", "stack"]
OUTCOME = re.compile(r"\b(fall|roll|collide|hit|topple|stop|pass|hide|will|until|then)(s|es|ing|ed)?\b")
REAL = LAPTOP.simulation.physics.real


def generators(count: int) -> Iterator[np.random.Generator]:
    return (np.random.default_rng(seed) for seed in range(count))


def over_the_floor(bodies: tuple[Body, ...], seconds: float, *, fps: int = 48) -> Motion:
    return simulate(scene([floor(), *bodies], seconds=seconds, fps=fps))


def tilts(motion: Motion) -> FloatArray:
    """Degrees (T,N) from upright."""
    frames, count, _ = motion.poses.shape
    axes = matrices(motion.poses[..., 3:].reshape(-1, 4))[:, 2, 2].reshape(frames, count)
    return np.asarray(np.degrees(np.arccos(axes.clip(-1, 1))), np.float64)


@pytest.mark.parametrize("family", FAMILIES)
def test_draws_are_valid_in_the_picture_and_move(family: str) -> None:
    params = with_section("rigid", family, {}, frames=25)
    for index in range(5):
        for take in (0, 1):
            scene, motion = drawn(params, "rigid", index, take=take)
            guard(scene, motion)
            assert in_picture(scene, motion)
            assert dynamic_extent(motion) > 0.1
            assert scene.future_determined


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("radius", [0.25, 0.45])
def test_small_and_large_objects_make_valid_scenes(family: str, radius: float) -> None:
    ranges = {
        "radius": (radius, radius),
        "density": (10.0, 20_000.0),
        "friction": (0.0, 1.0),
        "ramp_angle": (5.0, 60.0),
    }
    params = with_section("rigid", family, ranges, frames=25)
    for index in range(4):
        for split in ("train", "appearance"):  # of real and of unknown physics
            guard(*drawn(params, "rigid", index, split=split))


@pytest.mark.parametrize("family", FAMILIES)
def test_captions_tell_frame_0_and_not_the_outcome(family: str) -> None:
    told = set()
    for index in range(16):
        caption = first_scene(with_section("rigid", family, {}, frames=2), "rigid", index=index).captions.caption
        assert not OUTCOME.search(caption.lower()), caption
        assert "{" not in caption
        told.add(re.sub(r"[0-9.]+", "", caption))
    assert len(told) > 10


@pytest.mark.parametrize("family", FAMILIES)
def test_the_second_take_is_another_initial_state(family: str) -> None:
    for rng in generators(6):
        first = load_category("rigid").families[family].draw(rng, LAPTOP.simulation, REAL)
        pairs = zip(first.bodies(), first.perturbed(rng, 0.02).bodies(), strict=True)
        moved = [np.linalg.norm(np.subtract(one.position, other.position)) for one, other in pairs]
        assert 1e-6 < max(moved) < 0.3


def test_balls_that_collide_keep_their_momentum() -> None:
    for rng in generators(12):
        _, ball, target = Collide.draw(rng, LAPTOP.simulation, REAL).bodies()
        aside = target.position[1] - ball.position[1]
        flying = (
            replace(ball, position=(-1.0, 0.0, 0.0), velocity=(2.0, 0.0, 0.0)),
            replace(target, position=(0.0, 0.5 * np.tanh(aside) * ball.size[0], 0.0)),
        )
        motion = simulate(scene(flying, gravity=(0.0, 0.0, 0.0)))
        total = motion.velocities[..., :3].swapaxes(1, 2) @ np.array([ball.mass, target.mass])
        assert motion.velocities[-1, 1, 0] > 0.1  # they met
        assert np.abs(total - total[0]).max() < 1e-6 * ball.mass


def test_every_drawn_collision_takes_place() -> None:
    for rng in generators(16):
        configuration = Collide.draw(rng, LAPTOP.simulation, REAL)
        motion = over_the_floor(configuration.bodies(), 2.5)
        moved = np.linalg.norm(motion.poses[-1, 1, :3] - motion.poses[0, 1, :3])
        assert moved > 0.02
        touching = configuration.descent.ball.size[0] + configuration.target.size[0]
        apart = np.linalg.norm(motion.poses[:, 0, :3] - motion.poses[:, 1, :3], axis=1)
        assert touching - 0.02 < apart.min() < touching + 0.1


def of_kind(kind: str, count: int) -> Iterator[Dominoes]:
    configurations = (Dominoes.draw(rng, LAPTOP.simulation, REAL) for rng in generators(20 * count))
    found = [configuration for configuration in configurations if configuration.kind == kind]
    return iter(found[:count])


def test_dominoes_fall_in_their_order() -> None:
    for configuration in of_kind("row", 8):
        fallen = tilts(over_the_floor(configuration.bodies(), 3.0)) > 30
        assert fallen[-1].all()
        times = fallen.argmax(axis=0)
        assert (np.diff(times) > 0).all()


@pytest.mark.parametrize("kind", ["gap", "block"])
def test_dominoes_stop_at_a_gap_wider_than_they_are_high_and_at_a_block(kind: str) -> None:
    for configuration in of_kind(kind, 8):
        tilted = tilts(over_the_floor(configuration.bodies(), 4.0, fps=16))[-1]
        assert (tilted[: configuration.cut] > 15).all()
        assert (tilted[configuration.cut :] < 0.1).all()


def test_a_gap_is_wider_than_a_domino_is_high() -> None:
    for configuration in of_kind("gap", 8):
        bodies = configuration.bodies()
        assert len(bodies) == PIECES
        before, after = bodies[configuration.cut - 1], bodies[configuration.cut]
        apart = np.linalg.norm(np.subtract(after.position, before.position)) - 2 * before.size[0]
        assert apart > 2 * before.size[2] * (GAP - 0.2)


def test_a_stack_drifts_less_than_a_millimetre() -> None:
    for rng in generators(5):
        configuration = replace(Stack.draw(rng, LAPTOP.simulation, REAL), gap=0.0)
        standing = configuration.bodies()[:-1]
        motion = over_the_floor(standing, 4.0, fps=16)
        assert np.linalg.norm(motion.poses[..., :3] - motion.poses[0, :, :3], axis=-1).max() < 1e-3


@pytest.mark.slow
def test_the_last_box_stays_on_the_stack_where_it_is_above_its_support() -> None:
    outcomes = set()
    for rng in generators(12):
        configuration = Stack.draw(rng, LAPTOP.simulation, REAL)
        wide = configuration.boxes[0].size[0]
        overhang = abs(configuration.places[-1][0] - configuration.places[-2][0]) / wide
        motion = over_the_floor(configuration.bodies(), 2.5, fps=16)
        support = sum(2 * box.size[2] for box in configuration.boxes[:-1])
        stayed = motion.poses[-1, -1, 2] > support
        assert stayed == (overhang < 1)
        outcomes.add(bool(stayed))
    assert outcomes == {True, False}


def test_a_ball_that_goes_behind_a_box_comes_out_again_and_one_on_its_way_does_not_pass() -> None:
    params, told = with_section("rigid", "behind", {}, frames=33), set()
    for index in range(12):
        scene = first_scene(params, "rigid", index=index)
        configuration = scene.parameters["configuration"]
        assert isinstance(configuration, dict)
        where = configuration["where"]
        if where in told:
            continue
        told.add(where)
        motion = solved(scene)
        box = scene.bodies[-1].position[0]
        towards = np.sign(box - motion.poses[0, 0, 0])
        beyond = (towards * (motion.poses[:, 0, 0] - box) > 0).any()
        assert beyond == (where != "middle")
        pixels = (render(scene, motion, samples_per_pixel=1).segmentation == 2).sum(axis=(1, 2))
        hidden = np.flatnonzero(pixels < 0.3 * pixels[0])
        came_out = bool(len(hidden)) and bool((pixels[hidden[0] :] > 0.6 * pixels[0]).any())
        assert came_out == (where == "near")
    assert told == {"near", "far", "middle"}


def test_the_box_stands_clear_of_the_ball_and_the_ramp() -> None:
    for rng in generators(20):
        configuration = Behind.draw(rng, LAPTOP.simulation, REAL)
        _, ball, box = configuration.bodies()
        assert box.position[2] == pytest.approx(box.size[2])
        if configuration.where != "middle":
            aside = abs(box.position[1] - configuration.descent.ahead(configuration.ahead + box.size[0])[1])
            assert aside - box.size[1] > ball.size[0] + 0.1


@pytest.mark.parametrize("family", FAMILIES)
def test_clips_of_a_family_without_a_share_can_be_asked_for(family: str) -> None:
    assert set(LAPTOP.simulation.rigid.families) == {"drop", "ramp", "topple"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        params = requested(replace(REQUESTED, family=family, clips=1), PARAMS)
        assert params.model_dump_json()
    (clip,) = configuration_clips(params, split="train", category="rigid", index=0)
    assert clip.meta.family == family


def test_flow_fits_the_picture() -> None:
    check_warp(*drawn(with_section("rigid", "dominoes", {}, frames=9), "rigid", 1))
