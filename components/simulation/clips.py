"""One configuration becomes its clips: every take is solved once, every view of it rendered."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.clip import BETWEEN, Clip, ClipMeta
from components.errors import ParametersError
from components.simulation.annotate import annotate
from components.simulation.configuration import build_scene, configuration_hash
from components.simulation.families import load_category
from components.simulation.guard import RejectedError, guard, guard_view
from components.simulation.scene import Motion, Scene

if TYPE_CHECKING:
    from components.params import Params

KERNEL_CACHE = Path(".phys4d/cache/warp")
LIBRARIES = ("warp-lang", "numpy")  # beside the solver's own


def configuration_clips(params: "Params", *, split: str, category: str, index: int) -> Iterator[Clip]:
    """Clips of one configuration in the order of take, then view."""
    rejections, solved = _solve(params, split=split, category=category, index=index)
    seed = clip_seed(params.seed, split, category, index)
    for take, (views, motion) in enumerate(solved):
        for view, scene in enumerate(views):
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
                device=params.simulation.device,
            )


def initial_state(scene: Scene) -> Mapping[str, list[list[float]]]:
    """positions (N,3) in metres and orientations (N,4) as quaternions xyzw of the dynamic bodies as simulated."""
    bodies = [body for body in scene.bodies if body.dynamic]
    return {
        "positions": [list(body.position) for body in bodies],
        "orientations": [list(body.orientation) for body in bodies],
    }


@cache
def _versions(library: str) -> Mapping[str, str]:
    return {name: version(name) for name in (library, *LIBRARIES)}


def clip_seed(seed: int, split: str, category: str, index: int) -> int:
    """The seed of a configuration, from the project's seed and its place: 63 bits."""
    digest = hashlib.sha256(f"{seed}/{split}/{category}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _solve(
    params: "Params", *, split: str, category: str, index: int
) -> tuple[tuple[str, ...], list[tuple[list[Scene], Motion]]]:
    """The first draw of which every take and view passes the guard, after family and cause of each that did not.

    Of every take the scenes of its views, and the motion they share. Raises ParametersError where no draw passes: the
    same parameters draw the same scenes again.
    """
    section = getattr(params.simulation.splits, split)
    rejections: list[str] = []
    last = ""
    for attempt in range(params.simulation.max_attempts):
        draw = partial(build_scene, params, split=split, category=category, index=index, attempt=attempt)
        takes = [[draw(take=take, view=view) for view in range(section.views)] for take in range(section.takes)]
        try:
            solved = [(views, load_category(category).simulate(views[0], params.simulation.device)) for views in takes]
            for views, motion in solved:
                guard(views[0], motion)
                for scene in views:
                    guard_view(scene, motion, params.simulation.device)
        except RejectedError as error:
            rejections.append(f"{takes[0][0].family}: {error.cause}")
            last = str(error)
            continue
        return tuple(rejections), solved
    raise ParametersError(
        f"{split}, {category} {index}: none of {params.simulation.max_attempts} draws passed the guard, the last: "
        f"{last}; narrow the ranges of simulation.{category} or simulation.physics, raise simulation.max_attempts, "
        "or video.frames where little moves"
    )
