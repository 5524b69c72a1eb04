"""Work that makes one shard at a time: in processes, stopped between clips, resumed at the first shard not finished."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Protocol, TypeVar

from components.errors import ClipError, Phys4dError, StoppedError
from components.files import write_atomically
from components.pseudo_labels.storage import VideoRow
from components.shards import verify_shard
from components.simulation.workers import worker_pool, worker_stopped
from components.tables import encode_table, read_table

POLL = 0.2  # seconds between looks at the stop signal
STOPPED = "stopped; finished shards are kept, the same command continues"

Stopped = Callable[[], bool]


class Task(Protocol):
    """One shard to make."""

    @property
    def shard(self) -> str:
        """Its file name, such as shard-00000.tar."""
        ...

    @property
    def record(self) -> str:
        """Name under which a finished shard is remembered: another one when it would be made of other things."""
        ...


T = TypeVar("T", bound=Task)
Row = TypeVar("Row", bound=VideoRow)


def finished(
    tasks: Sequence[T], make: Callable[[T, Stopped], None], *, processes: int, stopped: Stopped
) -> Iterator[T]:
    """Do every task, and yield each when it is done. `make` is a function of a module, for it goes to other processes.

    Raises StoppedError after the shards at work were given up.
    """
    processes = min(processes, len(tasks))
    if processes <= 1:
        for task in tasks:
            make(task, stopped)
            yield task
        return
    with worker_pool(processes) as (pool, stop):
        futures = {pool.submit(_work, make, task): task for task in tasks}
        pending: set[Future[None]] = set(futures)
        try:
            while pending:
                done, pending = wait(pending, timeout=POLL, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                    yield futures[future]
                if pending and stopped():
                    raise StoppedError(STOPPED)
        except BrokenProcessPool as error:
            raise Phys4dError(
                "a worker process died (killed, or out of memory?); finished shards are kept: run the same command "
                "again, with a lower resources.processes if memory was short"
            ) from error
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _work(make: Callable[[T, Stopped], None], task: T) -> None:
    make(task, worker_stopped)


def check_stop(stopped: Stopped) -> None:
    """Raise StoppedError when a signal asked to stop."""
    if stopped():
        raise StoppedError(STOPPED)


def keep_rows(work: Path, task: Task, rows: Sequence[Row], kind: type[Row]) -> None:
    """Say that a shard is whole: the last act of making it."""
    write_atomically(_rows_path(work, task), encode_table(rows, kind))


def kept_rows(work: Path, folder: Path, task: Task, kind: type[Row]) -> list[Row] | None:
    """The rows of a shard that an earlier run finished and that is still whole; None when it is to be made (again)."""
    try:
        rows = read_table(_rows_path(work, task), kind, remedy="it is made again")
    except ClipError:
        return None
    whole = not rows or not verify_shard(folder / task.shard, [row.extent for row in rows])
    return rows if whole else None


def _rows_path(work: Path, task: Task) -> Path:
    return work / "rows" / f"{task.record}.parquet"
