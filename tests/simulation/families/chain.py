"""What every category is asked of its families: valid scenes."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.geometry import project
from components.parameters.loader import load_params
from components.params import Params
from components.simulation.configuration import build_scene
from components.simulation.families import load_category
from components.simulation.scene import Motion, Scene

if TYPE_CHECKING:
    from components.parameters.fields import Section

LAPTOP = load_params(Path(__file__).parents[3] / "profiles" / "laptop.yaml")


def with_section(category: str, family: str, changes: Mapping[str, object], *, frames: int, size: int = 64) -> Params:
    """Parameters of one family alone, with some ranges of its category changed, and small clips at 16 fps.

    Of the backbones wan22 alone, which takes any 4n+1 frames.
    """
    section: Section = getattr(LAPTOP.simulation, category)
    section = section.model_copy(update={"families": {family: 1.0}, **changes})
    simulation = LAPTOP.simulation.model_copy(update={category: section, "samples_per_pixel": 1})
    video = LAPTOP.video.model_copy(update={"frames": frames, "height": size, "width": size, "fps": 16})
    pipeline = LAPTOP.pipeline.model_copy(update={"backbones": ["wan22"]})
    return LAPTOP.model_copy(update={"simulation": simulation, "video": video, "pipeline": pipeline})


def first_scene(params: Params, category: str, *, index: int = 0, take: int = 0) -> Scene:
    """The first draw of a configuration of the split train."""
    return build_scene(params, split="train", category=category, index=index, view=0, take=take, attempt=0)


def solved(scene: Scene) -> Motion:
    """By the category's own solver."""
    return load_category(scene.category).simulate(scene)


def in_picture(scene: Scene, motion: Motion) -> bool:
    """Whether every vertex of what moves is in the picture at frame 0."""
    dynamic = [index for index, body in enumerate(scene.bodies) if body.dynamic]
    own = np.unique(motion.faces[np.isin(motion.face_body, dynamic)])
    pixels, _ = project(motion.vertices[0, own], scene.camera.intrinsics, scene.camera.extrinsics[0])
    size = np.array([scene.camera.width, scene.camera.height])
    return bool(((pixels > -0.5) & (pixels < size - 0.5)).all())
