"""Label videos: depth and flow of every clip, a shard at a time."""

import functools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from components.files import write_atomically
from components.index import INDEX_FILE
from components.pseudo_labels.estimators import make_depth_estimator, make_flow_estimator
from components.pseudo_labels.protocols import DepthEstimator, FlowEstimator
from components.pseudo_labels.shard_tasks import Stopped, check_stop, finished, keep_rows, kept_rows
from components.pseudo_labels.storage import (
    LabelledVideo,
    LabelRow,
    VideoRow,
    read_rows,
    read_video,
    write_labelled,
)
from components.shards import new_shard
from components.tables import encode_table

if TYPE_CHECKING:
    from components.params import PseudoLabels
    from components.simulation.generate import Display

SYNTHETIC_DEPTH = (
    "depth comes from the laptop's labeler, which learned it on simulated scenes: on other videos it is a guess; "
    "set pseudo_labels.depth to depth_anything"
)


@dataclass(frozen=True, kw_only=True)
class Labelling:
    """What is labelled, by what, and where: folders of videos, of the labeler, and of work in progress."""

    videos: Path
    labeler: Path
    section: "PseudoLabels"
    work: Path

    @property
    def result(self) -> Path:
        """The folder of labelled videos."""
        return self.work / "labels"


@dataclass(frozen=True, kw_only=True)
class LabelTask:
    """One shard: its file name and its videos."""

    shard: str
    rows: tuple[VideoRow, ...]

    @property
    def record(self) -> str:
        """The shard alone: other videos are another work."""
        return self.shard


def label(labelling: Labelling, *, processes: int, stopped: Stopped, display: "Display") -> Mapping[str, float]:
    """Write labelled shards and their index; mean confidence and share of finite values.

    Raises StoppedError after the shards at work were given up; the same call continues.
    """
    rows = read_rows(labelling.videos, VideoRow)
    if warning := synthetic_depth_warning(labelling.section, rows):
        sys.stderr.write(f"warning: {warning}\n")
    members: dict[str, list[VideoRow]] = {}
    for row in rows:
        members.setdefault(row.shard, []).append(row)
    tasks = [LabelTask(shard=shard, rows=tuple(own)) for shard, own in members.items()]
    made = [task for task in tasks if _kept(labelling, task) is not None]
    display.resume(sum(len(task.rows) for task in made))
    waiting = [task for task in tasks if task not in made]
    processes = 1 if _on_accelerator(labelling.section) else processes
    for task in finished(waiting, partial(make_shard, labelling), processes=processes, stopped=stopped):
        display.advance(len(task.rows))
    labels = [row for task in tasks for row in _kept(labelling, task) or ()]
    write_atomically(labelling.result / INDEX_FILE, encode_table(labels, LabelRow))
    return {
        "clips": len(labels),
        "confidence": sum(row.mean_confidence for row in labels) / len(labels),
        "finite_share": sum(row.finite_share for row in labels) / len(labels),
    }


def make_shard(labelling: Labelling, task: LabelTask, stopped: Stopped) -> None:
    """Label the videos of one shard; its rows say that it is whole."""
    depth, flow = _estimators(labelling.section, labelling.labeler)
    rows = []
    with new_shard(labelling.result / task.shard) as shard:
        for row in task.rows:
            check_stop(stopped)
            video = read_video(labelling.videos, row)
            motion, confidence = flow.predict(video.rgb)
            labelled = LabelledVideo(
                clip_id=video.clip_id,
                caption=video.caption,
                rgb=video.rgb,
                depth=depth.predict(video.rgb),
                depth_kind=depth.depth_kind,
                flow=motion,
                confidence=confidence,
            )
            rows.append(write_labelled(shard, labelled, row))
    keep_rows(labelling.work, task, rows, LabelRow)


def synthetic_depth_warning(section: "PseudoLabels", rows: Sequence[VideoRow]) -> str:
    """What to say when an estimator that knows simulated scenes alone labels other videos; empty when it does not."""
    return SYNTHETIC_DEPTH if section.depth == "labeler" and not all(row.simulated for row in rows) else ""


def _on_accelerator(section: "PseudoLabels") -> bool:
    """Whether an accelerator is at work, which processes would only fight for."""
    if section.depth == "labeler" and section.flow == "dis":
        return False  # too small for one
    from components.compute import device

    return device().type != "cpu"


@functools.lru_cache(maxsize=1)
def _estimators(section: "PseudoLabels", labeler: Path) -> tuple[DepthEstimator, FlowEstimator]:
    """Loaded once in each process."""
    return make_depth_estimator(section, labeler), make_flow_estimator(section)


def _kept(labelling: Labelling, task: LabelTask) -> list[LabelRow] | None:
    return kept_rows(labelling.work, labelling.result, task, LabelRow)
