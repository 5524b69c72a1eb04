"""A request to stop that comes before the command is ready to heed one.

An exception that is raised while a module is imported can get lost: imports run callbacks whose exceptions the
interpreter only prints, and libraries try imports of their own. So the request is remembered too.
"""

import signal
import threading
from types import FrameType

from components.errors import StoppedError

ASKED_EARLY = threading.Event()
LEAVE = signal.SIGUSR1  # asks a run to stop because its driver does, and the next driver goes on with it
LEAVING = threading.Event()  # set: that was asked


def stop_at_once(_number: int, _frame: FrameType | None) -> None:
    """Handler of TERM until the command has one of its own: raises StoppedError."""
    ASKED_EARLY.set()
    raise StoppedError("stopped; the same command continues")


def stop_event() -> threading.Event:
    """An event for handlers of the command's own: set, if a request came before them and was lost."""
    event = threading.Event()
    if ASKED_EARLY.is_set():
        event.set()
    return event
