"""The families of ropes: what frame 0 decides."""

import re

import numpy as np
import pytest

from components.simulation.families import load_category
from components.simulation.families.rope.line import Line
from components.simulation.families.rope.over_bar import OverBar
from components.simulation.guard import guard
from components.simulation.things.rope import Rope
from tests.simulation.families.chain import LAPTOP, in_picture, with_section
from tests.simulation.families.drawn import AS_THEY_ARE, check_chain, drawn, dynamic_extent

FAMILIES = sorted(load_category("rope").families)
OUTCOME = re.compile(r"\b(fall|collide|bounce|slide|hit|knock|topple|smash|slip|will|until|then)(s|es|ing|ped)?\b")
WIDEST = {
    "length": (0.8, 1.6),
    "radius": (0.015, 0.05),
    "mass_per_metre": (0.05, 2.0),
    "ball_radius": (0.1, 0.3),
    "density": (50.0, 4000.0),
    "friction": (0.0, 1.0),
    "angle": (10.0, 80.0),
    "boxes": (1, 4),
}
REAL = LAPTOP.simulation.physics.real


@pytest.mark.parametrize("family", FAMILIES)
def test_every_draw_is_a_valid_scene_in_which_something_moves(family: str) -> None:
    for take in (0, 1):
        scene, motion = drawn(with_section("rope", family, AS_THEY_ARE, frames=17), "rope", 0, take=take)
        guard(scene, motion)
        assert in_picture(scene, motion)
        assert dynamic_extent(motion) > 0.1


@pytest.mark.long
@pytest.mark.parametrize("split", ["train", "appearance"])
@pytest.mark.parametrize("family", FAMILIES)
def test_draws_over_the_whole_allowed_ranges_hold(family: str, split: str) -> None:
    params = with_section("rope", family, WIDEST, frames=25)
    for index in range(4):
        guard(*drawn(params, "rope", index, split=split))


@pytest.mark.parametrize("family", FAMILIES)
def test_ropes_have_links_of_one_length_and_names_are_unique(family: str) -> None:
    for seed in range(10):
        bodies = (
            load_category("rope").families[family].draw(np.random.default_rng(seed), LAPTOP.simulation, REAL).bodies()
        )
        assert len({thing.name for thing in bodies}) == len(bodies)
        for rope in (thing for thing in bodies if isinstance(thing, Rope)):
            links = np.linalg.norm(np.diff(rope.points, axis=0), axis=1)
            np.testing.assert_allclose(links, rope.link, rtol=1e-9)
        for thing in bodies:
            assert (len(set(thing.texture.colour)) > 1) == thing.dynamic


@pytest.mark.parametrize("family", FAMILIES)
def test_captions_tell_frame_0_and_not_the_outcome(family: str) -> None:
    told = set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        configuration = load_category("rope").families[family].draw(rng, LAPTOP.simulation, REAL)
        caption = configuration.captions(rng, np.eye(4)).caption
        assert not OUTCOME.search(caption.lower()), caption
        assert "{" not in caption
        told.add(re.sub(r"[0-9.]+", "", caption))
    assert len(told) > 10


@pytest.mark.parametrize("family", FAMILIES)
def test_the_second_take_is_almost_the_first(family: str) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        first = load_category("rope").families[family].draw(rng, LAPTOP.simulation, REAL)
        pairs = zip(first.bodies(), first.perturbed(rng, 0.01).bodies(), strict=True)
        moved = [np.linalg.norm(np.subtract(one.position, two.position)) for one, two in pairs]
        assert 0.0 < max(moved) < 0.15


def test_a_rope_over_a_bar_touches_it_almost_and_nowhere_goes_in() -> None:
    for seed in range(30):
        configuration = OverBar.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        rope = configuration.bodies()[-1]
        assert isinstance(rope, Rope)
        along = np.linspace(0, 1, 11)[:, None, None]
        points = np.array(rope.points)
        on_links = points[:-1] + along * np.diff(points, axis=0)
        clear = np.linalg.norm(on_links - [0.0, 0.0, configuration.height], axis=-1).min()
        assert 0.0 < clear - configuration.bar - rope.radius < 5e-3


def test_a_line_hangs_between_its_posts() -> None:
    for seed in range(10):
        configuration = Line.draw(np.random.default_rng(seed), LAPTOP.simulation, REAL)
        rope = next(thing for thing in configuration.bodies() if isinstance(thing, Rope))
        np.testing.assert_allclose([rope.points[0], rope.points[-1]], [(-1.4, 0, 2.3), (1.4, 0, 2.3)], atol=1e-9)


def test_a_wrecking_ball_moves_the_tower() -> None:
    _, motion = drawn(with_section("rope", "wrecking_ball", AS_THEY_ARE, frames=25), "rope", 1)
    assert np.abs(motion.poses[-1, 2:, 0] - motion.poses[0, 2:, 0]).min() > 0.1


def test_a_configuration_becomes_clips_whose_flow_is_true() -> None:
    check_chain("rope", "line")
