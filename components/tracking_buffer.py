"""Figures of a run, on disk before anywhere else: an append-only file of JSON lines, delivered from there to MLflow.

The first line describes the run; every other one holds metrics of a step or a change of the run's status. The writer
holds the file's lock, so that what a killed process left is told from what a living one is writing. Beside it stands
how much of it was delivered. A file goes away when all of it was delivered and nothing can continue its run.
"""

import fcntl
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from components.files import write_atomically

FOLDER = Path(".phys4d/tracking")
Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True, kw_only=True)
class RunDescription:
    """A run as MLflow shows it.

    kind: a stage, or the pipeline above its stages; pipeline: id of that pipeline, empty without one;
    work: the folder of resumable work below the project, empty when an interrupted run is never continued.
    """

    kind: Literal["stage", "pipeline"]
    experiment: str
    name: str
    pipeline: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    work: str


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How far a file was delivered: to which run of which database or server, up to which byte."""

    target: str
    run_id: str
    offset: int


class Buffer:
    """One run's file, locked by this process."""

    def __init__(self, path: Path, descriptor: int, *, description: RunDescription, began: int) -> None:
        self.path, self.description, self.began = path, description, began  # began: ms since 1970
        self._descriptor = descriptor
        self._writing = threading.Lock()
        self._unwritten = b""  # what a full disk did not take
        self.identity = path.stem

    def append(self, **entry: object) -> None:
        """Write one line; OSError when the disk did not take all of it, which the next line then begins with.

        OSError also when it was closed.
        """
        line = json.dumps({**entry, "time": now()}) + "\n"
        with self._writing:
            self._unwritten += line.encode()
            while self._unwritten:
                self._unwritten = self._unwritten[os.write(self._descriptor, self._unwritten) :]

    def entries(self, offset: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
        """Whole lines from a byte on, each with the byte after it; a line that is no JSON is passed over."""
        with self.path.open("rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                offset += len(line)
                try:
                    entry = json.loads(line)
                except ValueError:  # the rest of a line that a power cut left behind
                    continue
                if isinstance(entry, dict):
                    yield entry, offset

    def status(self) -> Status:
        """The run's status by its last change."""
        found: Status = "RUNNING"
        for entry, _ in self.entries():
            found = entry.get("status", found)
        return found

    def delivery(self) -> Delivery | None:
        """How far it was delivered, if at all."""
        try:
            return Delivery(**json.loads(delivery_path(self.path).read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def delivered(self, delivery: Delivery) -> None:
        """Record how far it was delivered."""
        write_atomically(delivery_path(self.path), json.dumps(asdict(delivery)).encode())

    def remove(self) -> None:
        """Forget the run: MLflow has it."""
        self.path.unlink(missing_ok=True)
        delivery_path(self.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the lock; nothing can be written any more."""
        with self._writing:
            os.close(self._descriptor)
            self._descriptor = -1  # its number may soon be another file's


def delivery_path(path: Path) -> Path:
    """Where a file's `Delivery` is."""
    return path.with_suffix(".delivered")


def now() -> int:
    """Milliseconds since 1970, MLflow's time."""
    return round(1000 * time.time())


def begin(root: Path, description: RunDescription, *, key: str) -> Buffer:
    """The file of a new run, or of the run that was interrupted in the same work, to be continued.

    key: what the work is, such as the sha256 of all it depends on; part of the file's name.
    """
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^\w@.-]", "_", f"{description.name}-{key[:16]}")
    for path in sorted(folder.glob(f"{stem}-*.jsonl")) if description.work else []:
        buffer = open_buffer(path)
        if buffer and buffer.status() != "FINISHED":
            buffer.append(status="RUNNING")
            return buffer
        if buffer:
            buffer.close()
    path = folder / f"{stem}-{secrets.token_hex(4)}.jsonl"
    hidden = path.with_suffix(".part")  # until it is locked and described
    descriptor = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    buffer = Buffer(path, descriptor, description=description, began=now())
    buffer.append(run=asdict(description))
    hidden.rename(path)
    return buffer


def open_buffer(path: Path) -> Buffer | None:
    """An existing file, locked; None when its writer lives, or when it is gone.

    One that does not describe a run, because its disk was damaged, is put aside as `.damaged`.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        content = path.read_bytes()
        if not content.endswith(b"\n"):  # a killed writer's half line
            os.ftruncate(descriptor, content.rfind(b"\n") + 1)
        header = json.loads(content.partition(b"\n")[0])
        return Buffer(path, descriptor, description=RunDescription(**header["run"]), began=int(header["time"]))
    except (BlockingIOError, FileNotFoundError):  # its writer lives, or has just delivered and removed it
        os.close(descriptor)
    except (ValueError, TypeError, KeyError):
        path.rename(path.with_suffix(".damaged"))
        os.close(descriptor)
    return None


def buffers(root: Path) -> list[Path]:
    """The files there are, oldest first."""
    found = [(path.stat().st_mtime_ns, path) for path in (root / FOLDER).glob("*.jsonl") if path.exists()]
    return [path for _, path in sorted(found)]
