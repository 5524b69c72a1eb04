"""Which stages have to run, and in which order.

DVC says what is out of date, once (`components.pipeline.stale`); the graph says what waits for what.
"""

import queue
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from components.errors import Phys4dError
from components.pipeline.graph import GraphStage
from components.pipeline.order import followers, meet, upstream, with_upstream
from components.recorded import recorded_hashes

T = TypeVar("T")


class Plan:
    """What is left to do of `targets` and all they depend on.

    A stage runs when DVC found it out of date, when it is forced, or when a stage before it changed what it reads: a
    stage that ran and made the same again starts nothing. What a run stage then makes of it is up to DVC. Of those that
    may run, those that take most go first, and of these the one with the longest chain behind it: what takes little and
    what nothing waits for fills the cores beside them.
    """

    def __init__(
        self,
        root: Path,
        graph: Mapping[str, GraphStage],
        *,
        targets: Iterable[str],
        stale: Collection[str],
        forced: Collection[str] = (),
        takes: Callable[[str], int] = lambda _: 1,
    ) -> None:
        self._root, self._graph = root, graph
        self._before = upstream(graph)
        wanted = with_upstream(self._before, targets)
        self.forced = frozenset(forced)
        self._stale = (set(stale) | self.forced) & wanted
        length = followers(self._before)
        self._left = sorted((name for name in graph if name in wanted), key=lambda name: (-takes(name), -length[name]))
        self._started: dict[str, dict[str, str]] = {}

    @property
    def stale(self) -> list[str]:
        """The stages of which it is known now that they have to run."""
        return [name for name in self._left if name in self._stale]

    @property
    def left(self) -> list[str]:
        """All that may still run: what has to wait stands behind what it waits for, when no stage takes more."""
        return list(self._left)

    def next(self, fits: Callable[[str], bool] = lambda _: True) -> str | None:
        """A stage to run now, or None: nothing is left that `fits`, or all that is left waits for what runs."""
        for name in list(self._left):
            if name in self._started or self._before[name] & set(self._left):
                continue
            if name in self._stale:
                if not fits(name):
                    continue
                self._started[name] = recorded_hashes(self._root, name, "outs")
                return name
            self._left.remove(name)
            return self.next(fits)  # what waited for it may run now
        return None

    def finished(self, name: str) -> None:
        """Stage `name` is up to date now; what reads what it changed has to run."""
        self._left.remove(name)
        now, then = recorded_hashes(self._root, name, "outs"), self._started.pop(name)
        changed = {path for path in now if now[path] != then.get(path)}
        for other in self._left:
            if any(meet(path, out) for path in self._graph[other].inputs for out in changed):
                self._stale.add(other)


def walk(
    plan: Plan,
    submit: Callable[[str, Callable[[Phys4dError | None], None]], None],
    *,
    room: int,
    takes: Callable[[str], int],
    stopping: threading.Event,
) -> Phys4dError | None:
    """Run a plan; the first failure, after which nothing new begins.

    submit: starts a stage and calls back, from any thread, with what it failed by; takes: how much of the `room` a
    stage takes while it runs. One that takes more than there is runs alone.
    """
    ended: queue.SimpleQueue[tuple[str, Phys4dError | None]] = queue.SimpleQueue()
    running: dict[str, int] = {}
    failure = None

    def fits(name: str) -> bool:
        return not running or sum(running.values()) + takes(name) <= room

    while True:
        while not failure and not stopping.is_set() and (name := plan.next(fits)):
            running[name] = takes(name)
            submit(name, partial(lambda name, error: ended.put((name, error)), name))
        if not running:
            return failure
        name, error = _get(ended)
        del running[name]
        failure = failure or error
        if not error:
            plan.finished(name)


def _get(ended: "queue.SimpleQueue[T]") -> T:
    """The next item, waited for in steps: a signal is handled between them."""
    while True:
        with suppress(queue.Empty):
            return ended.get(timeout=0.2)
