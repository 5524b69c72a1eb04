"""Figures of a stage in a pod that MLflow has not taken: in the run's folder, for the next pod and for the caller.

A pod's disk ends with it. Another pod that goes on with the stage goes on with its run in MLflow; the caller takes what
is left when the Job has ended, and its own run delivers it, as it does with what a killed process left on its disk.
"""

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from components.errors import Phys4dError
from components.files import write_atomically
from components.storage.store import Storage
from components.tracking_buffer import FOLDER, buffers, delivery_path


@dataclass(frozen=True, kw_only=True)
class KeptFigures:
    """The files of the figures in the project `root`, and where below `key` they wait."""

    storage: Storage
    key: str
    root: Path

    def take(self) -> None:
        """Have the project hold what waits, but for what it holds already; what goes wrong is only said."""
        _said(self._take)

    def send(self) -> None:
        """Have the storage hold the files as they are, and no others; what goes wrong is only said."""
        _said(self._send)

    def collect(self) -> None:
        """Take what waits, for good: no pod of the stage runs any more. What goes wrong is only said."""
        _said(self._collect)

    def _take(self) -> None:
        for key in self._keys():  # in order: `.delivered` comes before the file it is of
            path = self.root / FOLDER / key.rpartition("/")[2]
            if not path.exists():
                write_atomically(path, self.storage.get_bytes(key))

    def _send(self) -> None:
        sent = set()
        for path in buffers(self.root):
            for one in (delivery_path(path), path):  # how far it was delivered is never further than the file goes
                with suppress(FileNotFoundError):  # nothing was delivered yet, or all of it meanwhile
                    self.storage.put_bytes(f"{self.key}/{one.name}", one.read_bytes())
                    sent.add(f"{self.key}/{one.name}")
        self._delete(set(self._keys()) - sent)

    def _collect(self) -> None:
        waiting = self._keys()
        self._take()
        self._delete(waiting)

    def _keys(self) -> list[str]:
        return self.storage.keys(f"{self.key}/")

    def _delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.storage.delete(key)


def _said(transfer: Callable[[], None]) -> None:
    try:
        transfer()
    except (Phys4dError, OSError) as error:
        sys.stderr.write(f"figures that wait for MLflow were not moved: {error}\n")
