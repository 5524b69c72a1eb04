"""Progress with the time left: a bar on a terminal, plain lines elsewhere; always on standard error."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

LINE_EVERY = 10.0  # seconds between plain lines
TERMINAL = "PHYS4D_TERMINAL"  # set by a launcher that relays standard error to a terminal


class Progress:
    """Counts up to `total`; use it as a context manager."""

    def __init__(self, name: str, total: int, *, unit: str) -> None:
        self._name, self._total, self._unit = name, total, unit
        self._note = ""
        self.done = 0
        self._resumed = 0
        self._started = self._printed = time.monotonic()
        self._bar: Bar | None = None
        if on_terminal():
            self._bar = _bar(unit)
            self._task = self._bar.add_task(name, total=total, note="")

    def __enter__(self) -> Self:
        """Start the display."""
        if self._bar:
            self._bar.start()
        else:
            self._print()
        return self

    def resume(self, done: int) -> None:
        """Say how many were done before this run; they do not count for the time left."""
        self._resumed = done
        self.advance(done)

    def advance(self, count: int = 1) -> None:
        """`count` more are done."""
        self.done += count
        if self._bar:
            self._bar.advance(self._task, count)
        elif time.monotonic() - self._printed > LINE_EVERY:
            self._print()

    def note(self, text: str) -> None:
        """Show `text` beside the count, in place of the note before."""
        self._note = text
        if self._bar:
            self._bar.update(self._task, note=text)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the display."""
        if self._bar:
            self._bar.stop()
        else:
            self._print()

    def _print(self) -> None:
        self._printed = time.monotonic()
        elapsed = self._printed - self._started
        fresh = self.done - self._resumed
        line = f"{self._name}: {self.done}/{self._total} {self._unit}"
        if fresh > 0:
            line += f", {fresh / elapsed:.1f} a second, {elapsed * (self._total - self.done) / fresh:.0f} s left"
        if self._note:
            line += f", {self._note}"
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


class Unseen(Progress):
    """Counts without showing anything: of a process whose work another one displays."""

    def __init__(self, name: str, total: int) -> None:
        super().__init__(name, total, unit="")
        self._bar = None

    def _print(self) -> None:
        pass


def _bar(unit: str) -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    return Bar(*columns, *times, TextColumn("{task.fields[note]}"), console=Console(stderr=True, force_terminal=True))


@contextmanager
def counter(name: str, *, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A progress display for work that says (done, in all) as it goes."""
    with ExitStack() as stack:
        displays: list[Progress] = []

        def show(done: int, total: int) -> None:
            if not displays:
                displays.append(stack.enter_context(Progress(name, total, unit=unit)))
            displays[0].advance(done - displays[0].done)

        yield show


def on_terminal() -> bool:
    """Whether standard error reaches a terminal, directly or relayed."""
    return sys.stderr.isatty() or os.environ.get(TERMINAL) == "1"
