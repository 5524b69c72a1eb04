"""Every row measured, clip by clip, in parallel; a clip that was measured is kept when the work is interrupted."""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from components.errors import Phys4dError, StoppedError
from components.evaluation.judge import measure_clip
from components.evaluation.rows import read_videos
from components.evaluation.takes import TakePlace
from components.files import atomic_file
from components.simulation.workers import worker_pool

CLIPS_PER_PROCESS = 8  # fewer are measured sooner than another process has started
POLL = 0.2  # seconds between looks at the stop signal
Task = TypeVar("Task")


@dataclass(frozen=True, kw_only=True)
class MeasureTask:
    """One clip: the two takes, its number in the rows, the rows' folders, and where its figures go."""

    place: TakePlace
    clip: int
    rows: Mapping[str, Path]
    size: int
    out: Path


def measure_rows(
    places: Sequence[TakePlace],
    rows: Mapping[str, Path],
    *,
    size: int,
    work: Path,
    processes: int,
    stopped: Callable[[], bool],
    advance: Callable[[int], None],
) -> dict[str, NDArray[np.float64]]:
    """judge.METRICS (C,N,metrics) of every row and of the truth; `size` is the height of the scored frames."""
    tasks = [
        MeasureTask(place=place, clip=number, rows=rows, size=size, out=work / f"{place.take1.clip_id}.npz")
        for number, place in enumerate(places)
    ]
    missing = [task for task in tasks if not task.out.exists()]
    advance(len(tasks) - len(missing))
    run_tasks(measure_task, missing, processes=processes, stopped=stopped, advance=advance)
    clips = []
    for task in tasks:
        with np.load(task.out) as file:
            clips.append({row: file[row] for row in file.files})
    return {row: np.stack([clip[row] for clip in clips]) for row in clips[0]}


def measure_task(task: MeasureTask) -> None:
    """Measure one clip in all rows."""
    videos = {row: read_videos(folder, task.clip) for row, folder in task.rows.items()}
    measured = measure_clip(task.place.read(), videos, size=task.size)
    with atomic_file(task.out) as file:
        np.savez(file, allow_pickle=False, **measured)


def run_tasks(
    measure: Callable[[Task], None],
    tasks: Sequence[Task],
    *,
    processes: int,
    stopped: Callable[[], bool],
    advance: Callable[[int], None],
) -> None:
    """Measure clips, one task each, in as many of `processes` as are worth starting; StoppedError between two."""
    used = min(processes, math.ceil(len(tasks) / CLIPS_PER_PROCESS))
    if used > 1:
        _run_in_parallel(measure, tasks, used, stopped, advance)
        return
    for task in tasks:
        _check(stopped())
        measure(task)
        advance(1)


def _run_in_parallel(
    measure: Callable[[Task], None],
    tasks: Sequence[Task],
    processes: int,
    stopped: Callable[[], bool],
    advance: Callable[[int], None],
) -> None:
    with worker_pool(processes) as (pool, _):
        running: set[Future[None]] = {pool.submit(measure, task) for task in tasks}
        try:
            while running:
                done, running = wait(running, timeout=POLL, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                advance(len(done))
                _check(stopped())
        except BrokenProcessPool as error:
            raise Phys4dError(
                "a process that measures videos was killed, mostly for want of memory: run the same command again, "
                "with a smaller resources.processes"
            ) from error
        finally:
            for future in running:
                future.cancel()


def _check(stopped: bool) -> None:
    if stopped:
        raise StoppedError("stopped; what was measured is kept, the same command goes on from there")
