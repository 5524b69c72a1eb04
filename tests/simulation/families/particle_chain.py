"""What every category of particles is asked: valid scenes over all ranges, second takes, captions, the whole chain."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from components.parameters.loader import load_params
from components.params import Params
from components.simulation.configuration import build_scene
from components.simulation.families import load_category
from components.simulation.families.family import Family
from components.simulation.guard import guard
from components.simulation.scene import Scene
from tests.simulation.families.warped import check_warp

LAPTOP = load_params(Path(__file__).parents[3] / "profiles" / "laptop.yaml")


def drawn(category: str, count: int, *, physics: str = "real") -> Iterator[tuple[str, Family]]:
    """`count` configurations of every family."""
    believed = getattr(LAPTOP.simulation.physics, physics)
    for name, family in load_category(category).families.items():
        for seed in range(count):
            yield name, family.draw(np.random.default_rng(seed), LAPTOP.simulation, believed)


def short(category: str, family: str, *, split: str = "train", frames: int = 5, **ranges: object) -> Params:
    """Few small frames of one family."""
    section = getattr(LAPTOP.simulation, category)
    section = section.model_copy(update={"families": {family: 1.0}, **ranges})
    chosen = getattr(LAPTOP.simulation.splits, split).model_copy(update={"views": 1, "takes": 2})
    splits = LAPTOP.simulation.splits.model_copy(update={split: chosen})
    update = {category: section, "splits": splits, "samples_per_pixel": 1, "points_per_object": 16}
    video = LAPTOP.video.model_copy(update={"frames": frames, "height": 64, "width": 64})
    return LAPTOP.model_copy(update={"simulation": LAPTOP.simulation.model_copy(update=update), "video": video})


def passes_the_guard(params: Params, *, category: str, split: str, index: int, take: int = 0) -> Scene:
    """The scene, once solved and guarded."""
    scene = build_scene(params, split=split, category=category, index=index, view=0, take=take, attempt=0)
    guard(scene, load_category(category).simulate(scene))
    return scene


def check_flow(params: Params, *, category: str) -> None:
    """Flow of the first configuration is its motion."""
    scene = build_scene(params, split="train", category=category, index=0, view=0, take=0, attempt=0)
    check_warp(scene, load_category(category).simulate(scene))
