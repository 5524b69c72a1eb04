"""Processes: how many threads they use, children that die with their parent, requests to stop."""

import ctypes
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from threadpoolctl import threadpool_limits

from components.stopping import stop_event

PR_SET_PDEATHSIG = 1
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
THREAD_COUNTS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)


def limit_threads(count: int) -> None:
    """Have libraries compute with `count` threads: those that are loaded, those to come, and those of new children."""
    os.environ.update(dict.fromkeys(THREAD_COUNTS, str(count)))
    threadpool_limits(count)


def peak_memory() -> int:
    """The most memory that this process or one of its ended children held at once, in megabytes."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // 1024


def keep_freed_memory() -> None:
    """Have the C library keep the memory that is freed, for the next array of that size.

    It returns large blocks to the kernel otherwise, which clears every page anew: 12 ms of the 58 that a simulated clip
    took, a third of a training step of the heads.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc's own
        libc.mallopt(M_MMAP_THRESHOLD, 2**30)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent ends; at once, if `parent` has ended already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def signals() -> Iterator[Callable[[], bool]]:
    """TERM and INT ask to stop; they do not interrupt, so that nothing is left half written.

    When the work is done they come too late: DVC must learn that it is, so the rest of the process ignores them.
    """
    event = stop_event()

    def request(_number: int, _frame: FrameType | None) -> None:
        event.set()

    previous = {number: signal.signal(number, request) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield event.is_set
    except BaseException:
        for number, handler in previous.items():
            signal.signal(number, handler)
        raise
    for number in previous:
        signal.signal(number, signal.SIG_IGN)
