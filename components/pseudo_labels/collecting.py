"""Collect videos: clips of one format from a folder of files or from a simulated split, in shards with an index."""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from components.errors import ParametersError
from components.files import write_atomically
from components.index import INDEX_FILE
from components.pseudo_labels.cutting import Cause, Remark
from components.pseudo_labels.shard_tasks import Stopped, check_stop, finished, keep_rows, kept_rows
from components.pseudo_labels.storage import Video, VideoRow, write_video
from components.shards import new_shard
from components.tables import encode_table, read_table

if TYPE_CHECKING:
    from components.simulation.generate import Display

REMARKS_FILE = "remarks.parquet"
NAMED = 5  # sources a warning names

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class ShardOf(Generic[Item]):
    """One shard to make: its file name, and what its videos are made of."""

    shard: str
    items: tuple[Item, ...]

    @property
    def record(self) -> str:
        """The shard and what it is made of: files may come and go between two attempts."""
        return f"{self.shard}.{hashlib.sha256(repr(self.items).encode()).hexdigest()[:16]}"


class Source(Protocol[Item]):
    """Where videos come from."""

    @property
    def simulated(self) -> bool:
        """Whether an estimator that learned on synthetic scenes is at home here."""
        ...

    def tasks(self) -> Sequence[ShardOf[Item]]:
        """The shards, the same whoever makes them."""
        ...

    def remarks(self) -> Sequence[Remark]:
        """What is to be said before any video is read."""
        ...

    def videos(self, task: ShardOf[Item]) -> Iterator[Video | Remark]:
        """The videos of one shard, and what is to be said of them."""
        ...


def collect(
    source: Source[Any], *, field: str, work: Path, processes: int, stopped: Stopped, display: "Display"
) -> Mapping[str, float]:
    """Write the folder `work`/videos; how many clips there are, and how many remarks of each cause.

    Remarks are said on standard error, a line a cause, and kept beside the videos. field: the parameter or option that
    names the source, for messages.
    ParametersError when nothing is left. StoppedError: the same call goes on.
    """
    tasks, folder = source.tasks(), work / "videos"
    made = [task for task in tasks if kept_rows(work, folder, task, VideoRow) is not None]
    display.resume(sum(len(task.items) for task in made))
    waiting = [task for task in tasks if task not in made]
    for task in finished(waiting, partial(make_shard, source, work), processes=processes, stopped=stopped):
        display.advance(len(task.items))
    rows = [row for task in tasks for row in kept_rows(work, folder, task, VideoRow) or ()]
    remarks = [*source.remarks(), *(one for task in tasks for one in _read_remarks(work, task))]
    for line in warnings(remarks):
        sys.stderr.write(f"warning: {line}\n")
    if not rows:
        causes = "; ".join(warnings(remarks)) or "there is none"
        raise ParametersError(f"{field}: no usable video ({causes}): give a folder with videos that move")
    used = {row.shard for row in rows}
    for path in folder.glob("*.tar"):
        if path.name not in used:
            path.unlink()  # nothing in it is usable, or files it was made of are gone
    write_atomically(folder / REMARKS_FILE, encode_table(remarks, Remark))
    write_atomically(folder / INDEX_FILE, encode_table(rows, VideoRow))
    counts = Counter(one.cause for one in remarks)
    return {"clips": len(rows)} | {Cause(cause).name.lower(): count for cause, count in counts.items()}


def make_shard(source: Source[Item], work: Path, task: ShardOf[Item], stopped: Stopped) -> None:
    """Write one shard, then the remarks on it, then its rows."""
    rows, remarks = [], []
    with new_shard(work / "videos" / task.shard) as shard:
        for one in source.videos(task):
            check_stop(stopped)
            if isinstance(one, Remark):
                remarks.append(one)
            else:
                rows.append(write_video(shard, one, simulated=source.simulated))
    write_atomically(_remarks_path(work, task), encode_table(remarks, Remark))
    keep_rows(work, task, rows, VideoRow)


def warnings(remarks: Sequence[Remark]) -> list[str]:
    """One line a cause: how often, and of which sources, the first ones by name."""
    lines = []
    for cause, count in sorted(Counter(one.cause for one in remarks).items()):
        sources = list(dict.fromkeys(f"{one.source} ({one.detail})" for one in remarks if one.cause == cause))
        more = f" and {len(sources) - NAMED} more" if len(sources) > NAMED else ""
        lines.append(f"{count} {cause}: {', '.join(sources[:NAMED])}{more}")
    return lines


def _read_remarks(work: Path, task: ShardOf[Item]) -> list[Remark]:
    return read_table(_remarks_path(work, task), Remark, remedy="collect the videos again")


def _remarks_path(work: Path, task: ShardOf[Item]) -> Path:
    return work / "rows" / f"{task.record}.remarks.parquet"
