"""Stage simulate@SPLIT: simulated, annotated clips of one split."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.files import move_folder
from components.simulation.generate import generate_split
from components.simulation.parts import PARTS, gather_parts

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "clips"


def run(params: "Params", context: "StageContext", *, split: str) -> Mapping[str, float]:
    """Write data/simulation/SPLIT: shards and their index. Shards that parts have made are taken over."""
    gather_parts((context.work / PARTS).glob("*"), context.work)
    section = getattr(params.simulation.splits, split)
    total = sum(section.configurations.values()) * section.views * section.takes
    with context.progress(total) as display:
        figures = generate_split(params, split=split, folder=context.work, stopped=context.stopped, display=display)
    move_folder(context.work / "split", Path("data/simulation") / split)
    return figures
