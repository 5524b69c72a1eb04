"""One stage of the graph through `phys4d stage`: its exit code, its messages, and a way to stop it."""

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from signal import SIGINT, SIGTERM, signal
from types import FrameType

from components.errors import ExitCode, GateRefusedError, ParametersError, Phys4dError, StoppedError
from components.progress import TERMINAL
from components.stopping import LEAVE, LEAVING
from flows.child import start

ERRORS = {int(error.code): error for error in (GateRefusedError, StoppedError, ParametersError)}
FINAL = (ExitCode.GATE_REFUSED, ExitCode.BAD_PARAMETERS)  # trying again cannot help
COUNT = re.compile(r"(\d+)/(\d+) ")  # how `components.progress` begins its lines, after the stage's name
PREFIX = "phys4d: "  # of the line that says why a command failed


def run_stage(name: str, *, force: bool, stopping: threading.Event, say: Callable[[str], None]) -> None:
    """Bring a stage up to date; raises what it ended with. `stopping` stops it: it saves, and can be resumed."""
    if stopping.is_set():
        raise StoppedError(f"{name}: not begun; the same command continues")
    environment = {**os.environ, TERMINAL: "0"}  # plain lines: they go to Prefect as well
    arguments = ["stage", name, *(["--force"] if force else [])]
    process = start("components", *arguments, environment=environment, log=subprocess.PIPE)
    said: list[str] = []
    reader = threading.Thread(target=_relay, args=(process, name, say, said))
    reader.start()
    stopped = False
    while process.poll() is None:
        if stopping.is_set() and not stopped:
            process.send_signal(SIGTERM)
            stopped = True
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
    reader.join()
    if process.returncode == ExitCode.DONE:
        return
    cause = next((line.removeprefix(PREFIX) for line in reversed(said) if line.startswith(PREFIX)), "")
    if process.returncode < 0:
        error = StoppedError if stopped else Phys4dError  # it was stopped before it could say so, or killed
        raise error(f"{name}: ended by signal {-process.returncode}; the same command continues")
    raise ERRORS.get(process.returncode, Phys4dError)(cause or f"{name}: exited with {process.returncode}")


class Attempts:
    """Which ends of a stage are worth another attempt: 75 always, 65 and 78 never, others so many times."""

    def __init__(self, retries: int, stopping: threading.Event) -> None:
        self._left, self._stopping = retries, stopping

    def another(self, error: Phys4dError) -> bool:
        """Whether to try again after `error`."""
        if self._stopping.is_set() or error.code in FINAL:
            return False
        if error.code is not ExitCode.STOPPED:  # stopped by somebody else, such as a machine that is taken away
            self._left -= 1
        return self._left >= 0


def percentage(line: str) -> float | None:
    """The share that a stage's line says is done, in percent; None when it says something else."""
    found = COUNT.match(line)
    if found is None or int(found[2]) == 0:
        return None
    return round(min(100 * int(found[1]) / int(found[2]), 100.0), 1)


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """An event that TERM, INT and LEAVE set, in the main thread; elsewhere nothing sets it. LEAVE sets LEAVING too."""
    asked = threading.Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        if number == LEAVE:
            LEAVING.set()  # first: who sees the other one asks for this
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    previous = {number: signal(number, ask) for number in (SIGTERM, SIGINT, LEAVE)}
    try:
        yield asked
    finally:
        for number, handler in previous.items():
            signal(number, handler)


def _relay(process: subprocess.Popen[bytes], name: str, say: Callable[[str], None], said: list[str]) -> None:
    if process.stderr is None:
        raise AssertionError("the stage's standard error is a pipe")
    for raw in process.stderr:
        line = raw.decode(errors="replace").rstrip()
        if line:
            said.append(line)
            say(line.removeprefix(f"{name}: "))
