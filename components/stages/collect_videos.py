"""Stage collect_videos: the videos stage 1 learns from, of `videos.source` or, without one, of the appearance split."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.files import move_folder
from components.pseudo_labels.collecting import Source, collect
from components.pseudo_labels.sources import folder_source, split_source

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "sources"
FIELD = "videos.source"  # for messages


def run(params: "Params", context: "StageContext") -> Mapping[str, float]:
    """Write data/videos."""
    source: Source[Any]
    if params.videos.source is None:
        source = split_source(Path("data/simulation/appearance"), params.videos)
    else:
        folder = Path(params.videos.source).expanduser()
        source = folder_source(folder, params.video, params.videos, field=FIELD)
    with context.progress(sum(len(task.items) for task in source.tasks())) as display:
        figures = collect(
            source,
            field=FIELD,
            work=context.work,
            processes=params.resources.processes,
            stopped=context.stopped,
            display=display,
        )
    move_folder(context.work / "videos", Path("data/videos"))
    return figures
