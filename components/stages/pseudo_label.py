"""Stage pseudo_label: what estimators say of the collected videos, depth and flow."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.files import move_folder
from components.pseudo_labels.labelling import Labelling, label
from components.pseudo_labels.storage import VideoRow, read_rows

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "clips"


def run(params: "Params", context: "StageContext") -> Mapping[str, float]:
    """Write data/pseudo_labels."""
    labelling = Labelling(
        videos=Path("data/videos"),
        labeler=Path("models/depth_nets/labeler"),
        section=params.pseudo_labels,
        work=context.work,
    )
    with context.progress(len(read_rows(labelling.videos, VideoRow))) as display:
        figures = label(labelling, processes=params.resources.processes, stopped=context.stopped, display=display)
    move_folder(labelling.result, Path("data/pseudo_labels"))
    return figures
