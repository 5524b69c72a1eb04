"""The clips that faults are planted in: a few that the simulator makes on the spot, or those of a split."""

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import ParametersError
from components.evaluation.consistency.truth import Truth
from components.index import IndexRow, read_index
from components.shards import read_clip
from components.simulation.clips import KERNEL_CACHE, configuration_clips
from components.simulation.configuration import build_scene
from components.simulation.rendering.runtime import compile_kernels

if TYPE_CHECKING:
    from components.params import Params

PAIRS = 3  # one in so many clips has two moving objects at least
TRIED = 12  # configurations, for each clip that is wanted
SPLIT, CATEGORY = "dev", "rigid"  # the test scenes are looked at by the evaluation alone


def simulated_truths(params: "Params", *, clips: int) -> list[Truth]:
    """The first configurations of rigid bodies of `dev`, a third of them with two moving objects, both takes of each.

    ParametersError: there are not as many among the first of a split.
    """
    os.environ.setdefault("WARP_CACHE_PATH", str(KERNEL_CACHE.absolute()))
    compile_kernels(params.simulation.device)
    wanted = {True: clips // PAIRS, False: clips - clips // PAIRS}
    found: list[Truth] = []
    for index in range(TRIED * clips):
        scene = build_scene(params, split=SPLIT, category=CATEGORY, index=index, view=0, take=0, attempt=0)
        several = sum(body.dynamic for body in scene.bodies) > 1
        if wanted[several]:
            wanted[several] -= 1
            made = configuration_clips(params, split=SPLIT, category=CATEGORY, index=index)
            takes = {clip.meta.take: clip for clip in made if clip.meta.view == 0}
            found.append(Truth(clip=takes[0], take2=takes.get(1)))
        if len(found) == clips:
            return found
    raise ParametersError(
        f"--clips {clips}: the first {TRIED * clips} configurations have {len(found)}, expected a third with two "
        "objects: give fewer"
    )


def truths_of_split(folder: Path, *, clips: int) -> list[Truth]:
    """The first `clips` first takes of the split in `folder`, each with its second where there is one."""
    rows = read_index(folder)
    second = {(row.configuration, row.view): row for row in rows if row.take == 1}
    first = list(itertools.islice((row for row in rows if row.take == 0), clips))
    if not first:
        raise ParametersError(f"--split {folder} has no clip of take 0, expected a split of simulated clips")
    return [_truth(folder, row, second.get((row.configuration, row.view))) for row in first]


def _truth(folder: Path, row: IndexRow, other: IndexRow | None) -> Truth:
    take2 = read_clip(folder, other.extent) if other else None
    return Truth(clip=read_clip(folder, row.extent), take2=take2)
