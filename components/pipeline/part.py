"""A part of a stage, made by a command of its own where the stage will look for it."""

from collections.abc import Mapping
from pathlib import Path

from components.errors import ParametersError
from components.locks import exclusive
from components.parameters.loader import load_params
from components.pipeline.execution import lock_path, work_folder
from components.pipeline.graph import GraphStage
from components.processes import keep_freed_memory, limit_threads, signals
from components.progress import Progress
from components.simulation.parts import PARTS, Part

MADE_IN_PARTS = ("simulate",)  # templates of the graph


def check_has_parts(stage: GraphStage) -> None:
    """ParametersError for a stage that is made as a whole."""
    if stage.template not in MADE_IN_PARTS:
        raise ParametersError(f"{stage.name} has no parts: only {', '.join(MADE_IN_PARTS)} can be made in parts")


def part_folder(stage: GraphStage, root: Path, part: Part) -> Path:
    """Where a stage's part lies, in the work of the whole."""
    return work_folder(stage, root) / PARTS / part.name


def make_part(stage: GraphStage, root: Path, part: Part) -> Mapping[str, float]:
    """Make a part's shards; StoppedError when asked to stop: made again, it goes on. `root` is the working folder."""
    from components.simulation.generate import count_clips, generate_split

    folder = part_folder(stage, root, part)
    params, split, name = load_params(), stage.name.partition("@")[2], f"{stage.name}.{part.name}"
    with exclusive(lock_path(root, name), name), signals() as stopped:
        limit_threads(params.resources.threads)
        keep_freed_memory()
        with Progress(name, count_clips(params, split, part), unit="clips") as display:
            return generate_split(params, split=split, folder=folder, stopped=stopped, display=display, part=part)
