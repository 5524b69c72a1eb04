"""The families of grains: what frame 0 decides, second takes, words, and the whole chain."""

from dataclasses import asdict

import numpy as np
import pytest
from scipy.spatial import cKDTree

from components.canonical import canonical_json
from components.simulation.clips import configuration_clips
from components.simulation.families import load_category
from components.simulation.things.particles import Grains, Sand
from tests.simulation.families.particle_chain import LAPTOP, check_flow, drawn, passes_the_guard, short

FAMILIES = list(load_category("granular").families)
FEW = (100, 120)
OUTCOMES = ("collapse", "slide", "spread", "fall", "flow", "scatter")


def test_no_grain_touches_another_at_first() -> None:
    for name, configuration in drawn("granular", 6):
        for made in (configuration, configuration.perturbed(np.random.default_rng(1), 0.05)):
            heap = next(thing for thing in made.bodies() if isinstance(thing, Grains))
            distances, _ = cKDTree(heap.points).query(heap.points, k=2)
            assert distances[:, 1].min() > 2 * heap.radius, name
            assert heap.points[:, 2].min() > heap.radius, name
            assert 100 < len(heap.points) <= 1000, name


def test_configurations_are_json_and_second_takes_differ() -> None:
    for _, configuration in drawn("granular", 3):
        canonical_json(asdict(configuration))
        assert configuration != configuration.perturbed(np.random.default_rng(0), 0.01)


def test_captions_name_the_grains_and_no_outcome() -> None:
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    extrinsics[2, 3] = 5.0
    wordings: dict[str, set[str]] = {name: set() for name in FAMILIES}
    for name, configuration in drawn("granular", 12):
        captions = configuration.captions(np.random.default_rng(len(wordings[name])), extrinsics)
        wordings[name].add(captions.caption)
        assert any(word in captions.caption.lower() for word in ("pebbles", "stones", "grains"))
        assert not any(word in captions.caption.lower() for word in OUTCOMES)
    assert min(len(found) for found in wordings.values()) >= 6


@pytest.mark.parametrize("family", FAMILIES)
def test_scenes_pass_the_guard_whatever_a_split_believes(family: str) -> None:
    params = short("granular", family, split="appearance", grains=FEW)
    for index in range(2):
        for take in (0, 1):
            passes_the_guard(params, category="granular", split="appearance", index=index, take=take)


@pytest.mark.parametrize("family", FAMILIES)
def test_flow_of_grains_is_their_motion(family: str) -> None:
    check_flow(short("granular", family, frames=7, grains=FEW), category="granular")


def test_a_configuration_becomes_clips() -> None:
    params = short("granular", "impact", grains=FEW)
    clips = list(configuration_clips(params, split="train", category="granular", index=0))
    assert [clip.meta.take for clip in clips] == [0, 1]
    for clip in clips:
        assert {thing.kind for thing in clip.objects} == {"particles", "rigid"}
    again = next(configuration_clips(params, split="train", category="granular", index=0))
    assert (again.rgb == clips[0].rgb).all()
    assert LAPTOP.simulation.granular.grains[1] <= 1000


@pytest.mark.parametrize("family", ["collapse", "avalanche", pytest.param("hopper", marks=pytest.mark.slow)])
def test_many_grains_are_sand_that_passes_the_guard(family: str) -> None:
    world = passes_the_guard(
        short("granular", family, grains=(1800, 2000)), category="granular", split="train", index=0
    )
    (sand,) = (thing for thing in world.bodies if isinstance(thing, Sand))
    assert 1400 < len(sand.points) < 2300
