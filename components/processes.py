"""Processes: how many threads they use, and children that die with their parent."""

import ctypes
import os
import signal

from threadpoolctl import threadpool_limits

PR_SET_PDEATHSIG = 1
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


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent ends; at once, if `parent` has ended already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
