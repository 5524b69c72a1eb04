"""Label a folder of videos for the eye or for use elsewhere: what `phys4d pseudo-label --videos` does."""

import itertools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import ParametersError
from components.files import move_folder
from components.processes import limit_threads
from components.progress import Progress
from components.pseudo_labels.collecting import collect
from components.pseudo_labels.labelling import Labelling, label, synthetic_depth_warning
from components.pseudo_labels.preview import write_label_preview
from components.pseudo_labels.sources import folder_source
from components.pseudo_labels.storage import LabelRow, read_label, read_rows

if TYPE_CHECKING:
    from components.params import Params

CLIPS_SHOWN = 6
OPTION = "--videos"  # for messages
PREVIEW = "preview.png"  # in the folder of labels


def label_folder(videos: Path, *, out: Path, preview: bool, params: "Params", labeler: Path) -> Mapping[str, float]:
    """Label the videos below `videos` into `out`, a folder as data/pseudo_labels; `preview` draws some of them there.

    ParametersError when `out` holds something already, or no video is usable. Figures: those of collecting and of
    labelling. Says on standard error, and in the picture, when depth is a guess.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ParametersError(f"--out {out}: there is something already, expected a new or an empty folder")
    limit_threads(params.resources.threads)
    source = folder_source(videos, params.video, params.videos, field=OPTION)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        work, processes = Path(folder), params.resources.processes
        with Progress("collect videos", len(source.names), unit="files") as display:
            collected = collect(source, field=OPTION, work=work, processes=processes, stopped=_never, display=display)
        labelling = Labelling(
            videos=work / "videos", labeler=labeler, section=params.pseudo_labels, work=work / "label"
        )
        with Progress("pseudo-label", int(collected["clips"]), unit="clips") as display:
            labelled = label(labelling, processes=processes, stopped=_never, display=display)
        if preview:
            rows = read_rows(labelling.result, LabelRow)
            clips = [read_label(labelling.result, row) for row in shown(rows)]
            write_label_preview(
                clips, warning=synthetic_depth_warning(params.pseudo_labels, rows), out=labelling.result / PREVIEW
            )
        move_folder(labelling.result, out)
    return {**collected, **labelled}


def shown(rows: Sequence[LabelRow]) -> list[LabelRow]:
    """The rows of CLIPS_SHOWN clips at most, the sources in turn; of each the clip in which most moves first."""
    by_source: dict[str, list[LabelRow]] = {}
    for row in sorted(rows, key=lambda row: -row.motion):
        by_source.setdefault(row.source, []).append(row)
    turns = itertools.zip_longest(*(by_source[source] for source in sorted(by_source)))
    return [row for turn in turns for row in turn if row is not None][:CLIPS_SHOWN]


def _never() -> bool:
    """A signal interrupts this command at once: it begins anew, and nothing half done is left."""
    return False
