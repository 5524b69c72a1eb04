"""The lock of a running stage: it ends with its holder, and names it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.errors import Phys4dError

LOCK_PATIENCE = 10.0  # seconds: a killed holder's lock is free at once, a stopping one's after its current clip


class TakenError(Phys4dError):
    """Another process holds a lock."""


@contextmanager
def exclusive(path: Path, name: str, *, patience: float | None = None) -> Iterator[None]:
    """Hold the lock of stage `name` and write this process's id into it; TakenError when another process holds it.

    patience: seconds to wait for it; LOCK_PATIENCE where it is not said.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        deadline = time.monotonic() + (LOCK_PATIENCE if patience is None else patience)
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise TakenError(
                    f"{name} is already running as process {path.read_text().strip() or 'unknown'}: "
                    "wait for it, or stop it with TERM (it saves and can be resumed)"
                )
            time.sleep(0.05)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def lock_holder(path: Path) -> int | None:
    """The process that holds a lock, or None; the id of one that just took it may come a moment later."""
    if not path.exists():
        return None
    with path.open("r") as file:
        if _try_lock(file.fileno()):
            return None
        content = file.read()
    return int(content) if content and _has_open(int(content), path) else None


def _has_open(process: int, path: Path) -> bool:
    """Whether a process has a file open: an id left by a killed holder may be another's by now."""
    try:
        return any(link.samefile(path) for link in Path(f"/proc/{process}/fd").iterdir() if link.exists())
    except OSError:  # it ended while we looked
        return False


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
