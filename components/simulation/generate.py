"""Make the clips of a split: draw, simulate, guard, render, annotate; in parallel, resumable, byte for byte the same.

A clip's bytes depend on the seed and the parameters only: every configuration draws from its own generator, every
solver starts afresh, every shard is written by one process, and a finished shard is never touched again.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from components.errors import ClipError, Phys4dError, StoppedError
from components.files import write_atomically
from components.index import IndexRow, encode_rows, index_row, read_rows, write_index
from components.shards import new_shard, shard_name, verify_shard
from components.simulation.clips import KERNEL_CACHE, configuration_clips
from components.simulation.families import load_category
from components.simulation.rendering.runtime import compile_kernels
from components.simulation.workers import worker_pool, worker_stopped

if TYPE_CHECKING:
    from components.params import Params
    from components.simulation.parts import Part

POLL = 0.2  # seconds between looks at the stop signal


class Display(Protocol):
    """What shows the progress."""

    def resume(self, done: int) -> None:
        """`done` were there before."""

    def advance(self, count: int) -> None:
        """`count` more are done."""


class NotingDisplay(Display, Protocol):
    """What shows a note beside the progress."""

    def note(self, text: str) -> None:
        """`text` from now on."""


@dataclass(frozen=True, kw_only=True)
class ShardTask:
    """One shard: its number, and the configurations (category, index) whose clips it holds."""

    number: int
    configurations: tuple[tuple[str, int], ...]


def shard_tasks(params: "Params", split: str, part: "Part | None" = None) -> list[ShardTask]:
    """The shards of a split, or of a part of it; all views and takes of a configuration lie in one shard.

    Of a configuration that has more of them than a shard should hold, a shard holds that one alone.
    """
    section = getattr(params.simulation.splits, split)
    configurations = [(category, index) for category, count in section.configurations.items() for index in range(count)]
    size = max(1, params.simulation.clips_per_shard // (section.views * section.takes))
    return [
        ShardTask(number=number, configurations=tuple(configurations[start : start + size]))
        for number, start in enumerate(range(0, len(configurations), size))
        if part is None or part.holds(number)
    ]


def count_clips(params: "Params", split: str, part: "Part | None" = None) -> int:
    """How many clips a split has, or a part of it."""
    section = getattr(params.simulation.splits, split)
    each: int = section.views * section.takes
    return each * sum(len(task.configurations) for task in shard_tasks(params, split, part))


def generate_split(
    params: "Params",
    *,
    split: str,
    folder: Path,
    stopped: Callable[[], bool],
    display: NotingDisplay,
    part: "Part | None" = None,
) -> Mapping[str, float]:
    """Write the shards and the index of `split` into `folder`/split; shards that are there already are kept.

    Of a part only its shards, and no index: see `components.simulation.parts`.
    Raises StoppedError after the shards at work were given up; the same call continues.
    """
    started = time.monotonic()
    target = folder / "split"
    rows_folder = folder / "rows"
    tasks = shard_tasks(params, split, part)
    section = getattr(params.simulation.splits, split)
    clips_each = section.views * section.takes
    rows_of = {task: read_rows(_rows_path(rows_folder, task)) for task in tasks if _is_done(folder, task, clips_each)}
    waiting = [task for task in tasks if task not in rows_of]
    rejected = sum(map(_rejected_draws, rows_of.values()))
    display.note(_rejects(rejected))
    display.resume(sum(map(len, rows_of.values())))
    made = 0
    for task in _make_shards(params, split, waiting, folder, stopped):
        rows_of[task] = read_rows(_rows_path(rows_folder, task))
        made += len(rows_of[task])
        rejected += _rejected_draws(rows_of[task])
        display.note(_rejects(rejected))
        display.advance(len(rows_of[task]))
    rows = [row for task in tasks for row in rows_of[task]]
    if part is None:
        write_index(target, rows)
    elapsed = time.monotonic() - started
    return {
        "clips": len(rows),
        "clips_made_now": made,
        "rejected_draws": rejected,
        "bytes": sum(row.size for row in rows),
        "seconds": round(elapsed, 3),
        "clips_per_second": round(made / elapsed, 2),
    }


def _rejected_draws(rows: Sequence[IndexRow]) -> int:
    """Of all views and takes of a configuration together."""
    return sum({row.configuration: row.attempts - 1 for row in rows}.values())


def _rejects(count: int) -> str:
    return f"{count} draw{'' if count == 1 else 's'} rejected"


def _make_shards(
    params: "Params", split: str, tasks: Sequence[ShardTask], folder: Path, stopped: Callable[[], bool]
) -> Iterator[ShardTask]:
    processes = min(params.resources.processes, len(tasks))
    os.environ.setdefault("WARP_CACHE_PATH", str(KERNEL_CACHE.absolute()))  # inherited by the workers
    categories = getattr(params.simulation.splits, split).configurations
    solvers = [module for name in categories for module in load_category(name).kernels]
    compile_kernels(params.simulation.device, solvers=solvers)
    if processes <= 1:
        for task in tasks:
            make_shard(params, split, task, folder, stopped)
            yield task
        return
    with worker_pool(processes) as (pool, stop):
        futures = {pool.submit(_work, params, split, task, folder): task for task in tasks}
        try:
            for future in _completed(futures, stopped):
                future.result()
                yield futures[future]
        except BrokenProcessPool as error:
            raise Phys4dError(
                f"simulate@{split}: a worker process died (killed, or out of memory?); finished shards are kept: "
                "run the same command again, with a lower resources.processes if memory was short"
            ) from error
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _completed(futures: Mapping[Future[None], ShardTask], stopped: Callable[[], bool]) -> Iterator[Future[None]]:
    pending = set(futures)
    while pending:
        finished, pending = wait(pending, timeout=POLL, return_when=FIRST_COMPLETED)
        yield from sorted(finished, key=lambda future: futures[future].number)
        if pending and stopped():
            raise StoppedError("stopped; finished shards are kept, the same command continues")


def _work(params: "Params", split: str, task: ShardTask, folder: Path) -> None:
    make_shard(params, split, task, folder, worker_stopped)


def make_shard(params: "Params", split: str, task: ShardTask, folder: Path, stopped: Callable[[], bool]) -> None:
    """Write one shard, then its rows: the rows' file says that the shard is whole."""
    rows: list[IndexRow] = []
    with new_shard(folder / "split" / shard_name(task.number)) as shard:
        for category, index in task.configurations:
            if stopped():
                raise StoppedError("stopped; finished shards are kept, the same command continues")
            for clip in configuration_clips(params, split=split, category=category, index=index):
                rows.append(index_row(clip, shard.add(clip)))
    write_atomically(_rows_path(folder / "rows", task), encode_rows(rows))


def _is_done(folder: Path, task: ShardTask, clips_each: int) -> bool:
    """Whether an earlier run wrote this shard and it is still whole; what is left of another is made again."""
    try:
        rows = read_rows(_rows_path(folder / "rows", task))
    except ClipError:
        return False
    if len(rows) != len(task.configurations) * clips_each:
        return False
    return not verify_shard(folder / "split" / shard_name(task.number), [row.extent for row in rows])


def _rows_path(folder: Path, task: ShardTask) -> Path:
    return folder / f"{shard_name(task.number)}.parquet"
