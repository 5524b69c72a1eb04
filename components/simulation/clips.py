"""One configuration becomes its clips: every take is solved once, every view of it rendered."""

import functools
import hashlib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.clip import BETWEEN, Clip, ClipMeta
from components.errors import ParametersError
from components.simulation.annotate import annotate
from components.simulation.configuration import build_scene, configuration_hash
from components.simulation.families import load_category
from components.simulation.guard import RejectedError, guard
from components.simulation.scene import Motion, Scene

if TYPE_CHECKING:
    from components.params import Params

KERNEL_CACHE = Path(".phys4d/cache/warp")
LIBRARIES = ("warp-lang", "numpy")  # beside the solver's own


def configuration_clips(params: "Params", *, split: str, category: str, index: int) -> Iterator[Clip]:
    """Clips of one configuration in the order of take, then view."""
    section = getattr(params.simulation.splits, split)
    rejections, solved = _solve(params, split=split, category=category, index=index, takes=section.takes)
    seed = clip_seed(params.seed, split, category, index)
    for take, (_, motion) in enumerate(solved):
        for view in range(section.views):
            scene = build_scene(
                params, split=split, category=category, index=index, view=view, take=take, attempt=len(rejections)
            )
            library = load_category(category).solver(scene).library
            meta = ClipMeta(
                clip_id=f"{split}-{category}-{index:06d}-v{view}-t{take}",
                split=split,
                category=category,
                family=scene.family,
                configuration=configuration_hash(scene.parameters),
                view=view,
                take=take,
                seed=seed,
                attempts=len(rejections) + 1,
                rejections=BETWEEN.join(rejections),
                fps=scene.fps,
                caption=scene.captions.caption,
                caption_initial=scene.captions.caption_initial,
                parameters={**scene.parameters, "initial_state": initial_state(scene)},  # take 2 has its own
                solver=library,
                versions=_versions(library),
                future_determined=scene.future_determined,
                approximate=False,
            )
            yield annotate(
                scene,
                motion,
                points_per_object=params.simulation.points_per_object,
                samples_per_pixel=params.simulation.samples_per_pixel,
                rng=np.random.default_rng(seed),  # the same points in every take and view
                meta=meta,
            )


def initial_state(scene: Scene) -> Mapping[str, list[list[float]]]:
    """positions (N,3) in metres and orientations (N,4) as quaternions xyzw of the dynamic bodies as simulated."""
    bodies = [body for body in scene.bodies if body.dynamic]
    return {
        "positions": [list(body.position) for body in bodies],
        "orientations": [list(body.orientation) for body in bodies],
    }


@functools.cache
def _versions(library: str) -> Mapping[str, str]:
    return {name: version(name) for name in (library, *LIBRARIES)}


def clip_seed(seed: int, split: str, category: str, index: int) -> int:
    """The seed of a configuration, from the project's seed and its place: 63 bits."""
    digest = hashlib.sha256(f"{seed}/{split}/{category}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _solve(
    params: "Params", *, split: str, category: str, index: int, takes: int
) -> tuple[tuple[str, ...], list[tuple[Scene, Motion]]]:
    """The first draw of which every take passes the guard, after family and cause of each that did not.

    Raises ParametersError where none does: the same parameters draw the same scenes again.
    """
    rejections: list[str] = []
    last = ""
    for attempt in range(params.simulation.max_attempts):
        scenes = [
            build_scene(params, split=split, category=category, index=index, view=0, take=take, attempt=attempt)
            for take in range(takes)
        ]
        try:
            solved = [(scene, load_category(category).simulate(scene)) for scene in scenes]
            for scene, motion in solved:
                guard(scene, motion)
        except RejectedError as error:
            rejections.append(f"{scenes[0].family}: {error.cause}")
            last = str(error)
            continue
        return tuple(rejections), solved
    raise ParametersError(
        f"{split}, {category} {index}: none of {params.simulation.max_attempts} draws passed the guard, the last: "
        f"{last}; narrow the ranges of simulation.{category} or simulation.physics, "
        "or raise simulation.max_attempts"
    )
