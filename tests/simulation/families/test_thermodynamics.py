"""The families of what heat moves: what frame 0 decides, second takes, words, temperature colours, the whole chain."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from components.canonical import canonical_json
from components.parameters.categories.thermodynamics import Thermodynamics
from components.params import Params
from components.simulation.clips import configuration_clips
from components.simulation.configuration import build_scene
from components.simulation.families import load_category
from components.simulation.families.thermodynamics.bimetal import Bimetal
from components.simulation.families.thermodynamics.plume import Plume
from components.simulation.rendering.renderer import render
from components.simulation.things.melting import HotPlate, Meltable
from components.simulation.things.smoke import Smoke
from components.simulation.things.strip import Strip
from components.simulation.things.tank import Tank
from tests.simulation.families.chain import in_picture
from tests.simulation.families.particle_chain import LAPTOP, check_flow, drawn, passes_the_guard, short

FAMILIES = list(load_category("thermodynamics").families)
OUTCOMES = ("bend", "curl", "rise", "sink", "spread", "puddle", "mushroom", "fall")
WIDEST = Thermodynamics(
    families={"bimetal": 1.0},
    length=(0.8, 1.6),
    thickness=(0.007, 0.02),
    rate=(10.0, 400.0),
    particles=(500, 800),
    width=(0.3, 0.9),
    hot=(100.0, 400.0),
    diffusivity=(0.001, 0.2),
    viscosity=(1.1, 100.0),
    motes=(100, 300),
    radius=(0.15, 0.36),
    excess=(5.0, 100.0),
)


def few(family: str, *, split: str = "train", frames: int = 5) -> Params:
    """Small clips of few particles."""
    return short("thermodynamics", family, split=split, frames=frames, particles=(600, 800), motes=(300, 400))


def test_strips_are_straight_and_above_the_floor_whichever_way_they_bend() -> None:
    for seed in range(60):
        made = Bimetal.draw(np.random.default_rng(seed), LAPTOP.simulation, LAPTOP.simulation.physics.real)
        strip = made.bodies()[-1]
        assert isinstance(strip, Strip)
        assert np.dot(strip.along, strip.towards) == pytest.approx(0.0, abs=1e-12)
        end = np.array(strip.root) + strip.length * np.array(strip.along)
        assert end[2] > 0.2
        if made.mount == "lying" and made.way < 0:
            assert strip.root[2] - strip.length > 0.0


def test_wax_begins_on_its_plate_and_in_whole_particles() -> None:
    for name, configuration in drawn("thermodynamics", 12):
        for made in (configuration, configuration.perturbed(np.random.default_rng(1), 0.05)):
            if name != "melting":
                continue
            plate, wax = made.bodies()
            assert isinstance(plate, HotPlate)
            assert isinstance(wax, Meltable)
            low, high = LAPTOP.simulation.thermodynamics.particles
            assert 0.7 * low < len(wax.points) < 1.4 * high
            assert wax.points[:, 2].min() > wax.spacing / 2 - 1e-6
            assert (np.abs(wax.points[:, :2] - plate.position[:2]).max(axis=0) < plate.size[:2]).all()
            assert plate.temperature > wax.melting > wax.cold


def test_puffs_are_round_apart_and_within_their_tank() -> None:
    for seed in range(60):
        plume = Plume.draw(np.random.default_rng(seed), LAPTOP.simulation, LAPTOP.simulation.physics.unknown)
        for made in (plume, plume.perturbed(np.random.default_rng(seed), 0.02)):
            tank, *puffs = made.bodies()
            assert isinstance(tank, Tank)
            for puff in puffs:
                assert isinstance(puff, Smoke)
                assert np.linalg.norm(puff.points - np.array(puff.position), axis=1).max() < 1.1 * puff.size
                assert (np.array(puff.position) - puff.size >= tank.lower).all()
                assert (np.array(puff.position) + puff.size <= tank.upper).all()
            if len(puffs) == 2:
                sizes = [puff.size for puff in puffs if isinstance(puff, Smoke)]
                assert np.linalg.norm(np.subtract(puffs[0].position, puffs[1].position)) > sum(sizes)


def test_configurations_are_json_and_second_takes_differ_a_little() -> None:
    for _, configuration in drawn("thermodynamics", 4):
        canonical_json(asdict(configuration))
        other = configuration.perturbed(np.random.default_rng(0), 0.01)
        before, after = (next(t for t in made.bodies() if t.dynamic) for made in (configuration, other))
        assert configuration != other
        assert np.abs(np.subtract(before.position, after.position)).max() < 0.1


def test_captions_name_materials_and_heat_and_no_outcome() -> None:
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    extrinsics[2, 3] = 5.0
    wordings: dict[str, set[str]] = {name: set() for name in FAMILIES}
    for name, configuration in drawn("thermodynamics", 12):
        captions = configuration.captions(np.random.default_rng(len(wordings[name])), extrinsics)
        wordings[name].add(captions.caption)
        named = {"bimetal": ("invar", "current"), "melting": ("wax", "plate"), "plume": ("smoke", "degrees")}[name]
        assert all(word in captions.caption for word in named)
        assert not any(word in captions.caption.lower() for word in OUTCOMES)
        assert "{" not in captions.caption
        assert captions.caption_initial.startswith(captions.caption)
    assert min(len(found) for found in wordings.values()) >= 6


@pytest.mark.parametrize("family", FAMILIES)
def test_scenes_pass_the_guard_whatever_a_split_believes(family: str) -> None:
    params = few(family, split="appearance")
    for index in range(3):
        for take in (0, 1):
            passes_the_guard(params, category="thermodynamics", split="appearance", index=index, take=take)


@pytest.mark.parametrize("family", FAMILIES)
def test_scenes_of_the_widest_ranges_pass_the_guard(family: str) -> None:
    ranges = {name: value for name, value in WIDEST.model_dump().items() if name != "families"}
    params = short("thermodynamics", family, split="appearance", frames=9, **ranges)
    for index in range(12 if family == "bimetal" else 3):
        passes_the_guard(params, category="thermodynamics", split="appearance", index=index)


@pytest.mark.parametrize("family", FAMILIES)
def test_flow_is_the_motion_of_the_matter_whatever_its_temperature(family: str) -> None:
    check_flow(few(family, frames=17), category="thermodynamics")


@pytest.mark.parametrize("family", FAMILIES)
def test_heat_shows_in_the_picture_and_not_in_the_albedo(family: str) -> None:
    params = few(family, frames=9)
    scene = build_scene(params, split="train", category="thermodynamics", index=0, view=0, take=0, attempt=0)
    motion = load_category("thermodynamics").simulate(scene)
    assert in_picture(scene, motion)
    motions = (motion, replace(motion, heat=None))
    hot, cold = (render(scene, shown, samples_per_pixel=1, albedo=True) for shown in motions)
    assert hot.albedo is not None
    assert cold.albedo is not None
    np.testing.assert_array_equal(hot.albedo, cold.albedo)
    redder = hot.rgb[-1].astype(int)[..., 0] - cold.rgb[-1][..., 0]
    assert (redder[hot.segmentation[-1] > 1] > 40).mean() > 0.1
    assert redder.min() >= 0
    for name in ("depth", "flow", "segmentation", "visible"):
        np.testing.assert_array_equal(getattr(hot, name), getattr(cold, name))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_configuration_becomes_clips(family: str) -> None:
    params = few(family)
    clips = list(configuration_clips(params, split="train", category="thermodynamics", index=0))
    assert [clip.meta.take for clip in clips] == [0, 1]
    kind = "deformable" if family == "bimetal" else "particles"
    for clip in clips:
        assert {thing.kind for thing in clip.objects} == {kind}
        assert clip.meta.solver == ("warp-lang" if family == "melting" else "scipy")
        assert clip.meta.solver in clip.meta.versions
        assert clip.meta.future_determined
        assert (clip.segmentation == 2).sum() > 50
    again = next(configuration_clips(params, split="train", category="thermodynamics", index=0))
    assert (again.rgb == clips[0].rgb).all()
    assert (again.flow == clips[0].flow).all()
