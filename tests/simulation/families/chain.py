"""What every category is asked of its families: valid scenes, and annotation that fits the picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from components.geometry import pixel_grid, project
from components.parameters.loader import load_params
from components.params import Params
from components.simulation.configuration import build_scene
from components.simulation.families import load_category
from components.simulation.rendering.renderer import render
from components.simulation.scene import Motion, Scene
from tests.simulation.rendering.pixels import away_from_edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from components.parameters.fields import Section

LAPTOP = load_params(Path(__file__).parents[3] / "profiles" / "laptop.yaml")


def with_section(category: str, family: str, changes: Mapping[str, object], *, frames: int, size: int = 64) -> Params:
    """Parameters of one family alone, with some ranges of its category changed, and small clips at 16 fps."""
    section: Section = getattr(LAPTOP.simulation, category)
    section = section.model_copy(update={"families": {family: 1.0}, **changes})
    simulation = LAPTOP.simulation.model_copy(update={category: section, "samples_per_pixel": 1})
    video = LAPTOP.video.model_copy(update={"frames": frames, "height": size, "width": size, "fps": 16})
    return LAPTOP.model_copy(update={"simulation": simulation, "video": video})


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


def residuals(scene: Scene, motion: Motion) -> tuple[float, float]:
    """Medians over seen moving pixels away from edges: of albedo warped back by flow, and of depth, in metres."""
    rendering = render(scene, motion, samples_per_pixel=1, albedo=True)
    assert rendering.albedo is not None
    grid = pixel_grid(scene.camera.height, scene.camera.width)
    colour: list[NDArray[np.float32]] = []
    depth: list[NDArray[np.float32]] = []
    for t in range(scene.frames - 1):
        ids = rendering.segmentation[t]
        inner = away_from_edges(ids) & rendering.visible[t] & (ids > 1)
        there = (grid + rendering.flow[t]).astype(np.float32)
        landed = np.rint(there).astype(int).clip(0, np.array(ids.shape[::-1]) - 1)
        inner &= away_from_edges(rendering.segmentation[t + 1])[landed[..., 1], landed[..., 0]]
        for field, now, out in ((rendering.albedo, rendering.albedo[t], colour), (rendering.depth, None, depth)):
            expected = rendering.depth[t] + rendering.depth_change[t] if now is None else now
            warped = cv2.remap(field[t + 1], there[..., 0], there[..., 1], cv2.INTER_LINEAR)
            out.append(np.abs(warped - expected)[inner].ravel())
    return float(np.median(np.concatenate(colour))), float(np.median(np.concatenate(depth)))
