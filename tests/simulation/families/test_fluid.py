"""The families of liquids: what frame 0 decides, second takes, words, and the whole chain."""

from dataclasses import asdict

import numpy as np
import pytest

from components.canonical import canonical_json
from components.simulation.clips import configuration_clips
from components.simulation.families import load_category
from components.simulation.families.fluid.plunge import Plunge
from components.simulation.scene import Body
from components.simulation.solvers.mpm_flow import GAP
from components.simulation.things.particles import Liquid
from components.simulation.things.tank import Tank
from tests.simulation.families.particle_chain import LAPTOP, check_flow, drawn, passes_the_guard, short

FAMILIES = list(load_category("fluid").families)
FEW = (600, 800)  # particles
OUTCOMES = ("float", "sink", "splash", "spread", "fall", "flow")


def test_every_liquid_begins_within_its_tank_and_above_the_floor() -> None:
    for name, configuration in drawn("fluid", 8):
        for made in (configuration, configuration.perturbed(np.random.default_rng(1), 0.05)):
            liquid = next(thing for thing in made.bodies() if isinstance(thing, Liquid))
            assert liquid.points[:, 2].min() > GAP * liquid.spacing - 1e-6, name
            low, high = LAPTOP.simulation.fluid.particles
            assert 0.7 * low < len(liquid.points) < 1.4 * high, name
            for tank in (thing for thing in made.bodies() if isinstance(thing, Tank)):
                gap = GAP * liquid.spacing - 1e-6
                assert (liquid.points >= tank.lower + gap).all(), name
                assert (liquid.points <= tank.upper - gap).all(), name


def test_balls_are_clear_of_the_water_and_within_the_tank_and_never_nearly_as_dense() -> None:
    for seed in range(60):
        plunge = Plunge.draw(np.random.default_rng(seed), LAPTOP.simulation, LAPTOP.simulation.physics.unknown)
        for made in (plunge, plunge.perturbed(np.random.default_rng(seed), 0.1)):
            tank, _, body = made.bodies()
            assert isinstance(tank, Tank)
            assert isinstance(body, Body)
            assert body.position[2] - body.size[0] > made.depth
            assert (np.array(body.position) - body.size[0] >= tank.lower).all()
            assert (np.array(body.position) + body.size[0] <= tank.upper).all()
            assert not 850 < made.thing.density < 1250


def test_configurations_are_json_and_second_takes_differ_a_little() -> None:
    for _, configuration in drawn("fluid", 3):
        canonical_json(asdict(configuration))
        other = configuration.perturbed(np.random.default_rng(0), 0.01)
        before, after = (next(t for t in made.bodies() if t.dynamic) for made in (configuration, other))
        assert configuration != other
        assert np.abs(np.subtract(before.position, after.position)).max() < 0.1


def test_captions_name_liquid_and_place_and_no_outcome() -> None:
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    extrinsics[2, 3] = 5.0
    wordings: dict[str, set[str]] = {name: set() for name in FAMILIES}
    for name, configuration in drawn("fluid", 12):
        captions = configuration.captions(np.random.default_rng(len(wordings[name])), extrinsics)
        wordings[name].add(captions.caption)
        assert "water" in captions.caption or "syrup" in captions.caption
        assert not any(word in captions.caption.lower() for word in OUTCOMES)
        assert captions.caption_initial.startswith(captions.caption)
    assert min(len(found) for found in wordings.values()) >= 6


@pytest.mark.parametrize("family", FAMILIES)
def test_scenes_pass_the_guard_whatever_a_split_believes(family: str) -> None:
    params = short("fluid", family, split="appearance", particles=FEW)
    for index in range(2):
        for take in (0, 1):
            passes_the_guard(params, category="fluid", split="appearance", index=index, take=take)


@pytest.mark.parametrize("family", FAMILIES)
def test_flow_of_particles_is_their_motion(family: str) -> None:
    check_flow(short("fluid", family, particles=FEW), category="fluid")


def test_a_configuration_becomes_clips() -> None:
    clips = list(configuration_clips(short("fluid", "plunge", particles=FEW), split="train", category="fluid", index=0))
    assert [clip.meta.take for clip in clips] == [0, 1]
    for clip in clips:
        assert {thing.kind for thing in clip.objects} == {"particles", "rigid"}
        assert clip.meta.solver == "warp-lang"
        assert (clip.segmentation == 2).sum() > 100
    again = next(configuration_clips(short("fluid", "plunge", particles=FEW), split="train", category="fluid", index=0))
    assert (again.rgb == clips[0].rgb).all()
    assert (again.flow == clips[0].flow).all()
