"""Worker processes: deaf to signals meant for their parent, and gone when it goes."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Event

from components.processes import die_with_parent, keep_freed_memory

_stop: list[Event] = []  # set once in each worker process


@contextmanager
def worker_pool(processes: int) -> Iterator[tuple[ProcessPoolExecutor, Event]]:
    """A pool of fresh processes and the event that asks them to stop."""
    context = multiprocessing.get_context("spawn")  # a forked copy of a process that holds threads can hang
    stop = context.Event()
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_start_worker, initargs=(os.getpid(), stop)
    ) as pool:
        yield pool, stop


def worker_stopped() -> bool:
    """In a worker: whether the parent asked to stop."""
    return _stop[0].is_set()


def _start_worker(parent: int, stop: Event) -> None:
    die_with_parent(parent)
    keep_freed_memory()
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent decides: a terminal sends them to all
        signal.signal(number, signal.SIG_IGN)
    _stop.append(stop)
