"""Configurations of one family on joints or ropes, and the checks their clips must pass."""

from collections.abc import Mapping

import numpy as np

from components.params import Params
from components.simulation.clips import configuration_clips
from components.simulation.configuration import build_scene
from components.simulation.scene import Motion, Scene
from tests.simulation.families.chain import solved, with_section
from tests.simulation.families.warped import check_warp

AS_THEY_ARE: Mapping[str, object] = {}


def drawn(params: Params, category: str, index: int, *, split: str = "train", take: int = 0) -> tuple[Scene, Motion]:
    """A configuration as drawn, and its motion."""
    scene = build_scene(params, split=split, category=category, index=index, view=0, take=take, attempt=0)
    return scene, solved(scene)


def check_chain(category: str, family: str) -> None:
    """A configuration becomes a valid clip of 64 x 64 pixels, and its flow is true."""
    params = with_section(category, family, AS_THEY_ARE, frames=5)
    (clip, *_) = configuration_clips(params, split="train", category=category, index=0)
    assert (clip.segmentation >= 2).any()
    check_warp(*drawn(params, category, 0))


def dynamic_extent(motion: Motion) -> float:
    """Metres that the fastest thing gets away from where it began."""
    return float(np.linalg.norm(motion.poses[..., :3] - motion.poses[0, :, :3], axis=-1).max())
