"""The families of bodies on joints: what frame 0 decides."""

import re

import numpy as np
import pytest

from components.simulation.families import load_category
from components.simulation.families.articulated.cradle import Cradle
from components.simulation.families.articulated.pendulum import Pendulum
from components.simulation.families.articulated.see_saw import SeeSaw
from components.simulation.families.articulated.turntable import Turntable
from components.simulation.guard import guard
from components.simulation.things.joints import JointedBody
from tests.simulation.families.chain import LAPTOP, in_picture, with_section
from tests.simulation.families.drawn import AS_THEY_ARE, check_chain, drawn, dynamic_extent

FAMILIES = sorted(load_category("articulated").families)
OUTCOME = re.compile(r"\b(fall|swing|collide|bounce|slide|hit|tip|sink|rise|will|until|then)(s|es|ing|ped)?\b")
WIDEST = {"length": (0.7, 1.5), "radius": (0.1, 0.28), "density": (1.0, 25_000.0), "angle": (5.0, 170.0)}
REAL = LAPTOP.simulation.physics.real


@pytest.mark.parametrize("family", FAMILIES)
def test_every_draw_is_a_valid_scene_in_which_something_moves(family: str) -> None:
    for index in range(4):
        for take in (0, 1):
            scene, motion = drawn(
                with_section("articulated", family, AS_THEY_ARE, frames=17), "articulated", index, take=take
            )
            guard(scene, motion)
            assert in_picture(scene, motion)
            assert dynamic_extent(motion) > 0.2


@pytest.mark.parametrize("family", FAMILIES)
def test_draws_over_the_whole_allowed_ranges_hold(family: str) -> None:
    params = with_section("articulated", family, WIDEST, frames=17)
    for index, split in ((0, "train"), (1, "train"), (2, "appearance"), (3, "appearance")):
        guard(*drawn(params, "articulated", index, split=split))


@pytest.mark.parametrize("family", FAMILIES)
def test_names_are_unique_and_moving_things_coloured(family: str) -> None:
    for index in range(6):
        scene, _ = drawn(with_section("articulated", family, AS_THEY_ARE, frames=2), "articulated", index)
        assert len({thing.name for thing in scene.bodies}) == len(scene.bodies)
        for thing in scene.bodies:
            assert (len(set(thing.texture.colour)) > 1) == thing.dynamic


@pytest.mark.parametrize("family", FAMILIES)
def test_captions_tell_frame_0_and_not_the_outcome(family: str) -> None:
    told = set()
    for index in range(12):
        scene, _ = drawn(with_section("articulated", family, AS_THEY_ARE, frames=2), "articulated", index)
        assert not OUTCOME.search(scene.captions.caption.lower()), scene.captions.caption
        assert "{" not in scene.captions.caption
        told.add(re.sub(r"[0-9.]+", "", scene.captions.caption))
    assert len(told) > 6


@pytest.mark.parametrize("family", FAMILIES)
def test_the_second_take_is_almost_the_first(family: str) -> None:
    params = with_section("articulated", family, AS_THEY_ARE, frames=2)
    first, second = (drawn(params, "articulated", 0, take=take)[1].poses[0, :, :3] for take in (0, 1))
    assert 0.0 < np.abs(first - second).max() < 0.2 or family == "see_saw"


def test_a_pendulum_is_as_far_aside_as_it_was_drawn_and_swings_to_the_other_side() -> None:
    for seed in range(6):
        configuration = Pendulum.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        ball = configuration.bodies()[2]
        aside = ball.position[0] - configuration.offset
        assert aside == pytest.approx(configuration.length * np.sin(np.radians(configuration.angle)))


def test_a_cradle_sends_off_as_many_balls_as_were_held() -> None:
    for index in range(4):
        scene, motion = drawn(with_section("articulated", "cradle", AS_THEY_ARE, frames=33), "articulated", index)
        moved = motion.poses[:, ::2, 0] - motion.poses[0, ::2, 0]
        configuration = scene.parameters["configuration"]
        assert isinstance(configuration, dict)
        held, angle = configuration["held"], configuration["angle"]
        far = slice(-held, None) if angle < 0 else slice(0, held)
        aside = np.abs(moved[:, far]).max()
        assert aside > 0.7 * configuration["length"] * abs(np.sin(np.radians(angle)))


def test_every_see_saw_goes_to_the_side_of_the_greater_torque() -> None:
    for seed in range(8):
        configuration = SeeSaw.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        left, right = (
            weight.mass * distance
            for weight, distance in zip(configuration.weights, configuration.distances, strict=True)
        )
        assert max(left / right, right / left) > 1.3
    for index in range(4):
        scene, motion = drawn(with_section("articulated", "see_saw", AS_THEY_ARE, frames=17), "articulated", index)
        boxes = [(body.position[0], body.mass) for body in scene.bodies if body.dynamic][1:]
        torque = sum(x * mass for x, mass in boxes)
        assert np.sign(motion.poses[8, 0, 4]) == np.sign(torque)


def test_boxes_on_a_turntable_turn_with_it_at_frame_0() -> None:
    for seed in range(6):
        configuration = Turntable.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        for box in configuration.bodies()[2:]:
            x, y, _ = box.position
            rate = np.radians(configuration.spin)
            np.testing.assert_allclose(box.velocity, (-rate * y, rate * x, 0.0), atol=1e-12)


def test_the_balls_of_a_cradle_hang_a_gap_apart() -> None:
    for seed in range(6):
        configuration = Cradle.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        balls = (body for body in configuration.bodies() if body.name.endswith("ball"))
        pivots = [body.joint.pivot[0] for body in balls if isinstance(body, JointedBody)]
        np.testing.assert_allclose(np.diff(pivots), 2 * configuration.weights[0].radius + 1e-3)


def test_a_configuration_becomes_clips_whose_flow_is_true() -> None:
    check_chain("articulated", "see_saw")
