"""The run of a stage or of a pipeline while it lasts: figures go to disk at once and to MLflow now and then.

Logging never stops a stage and never makes it wait for long. A thread, and with it MLflow's import of more than a
second, begins with the first figure; while MLflow is out of reach everything stays on disk, with one warning.
"""

import json
import os
import re
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from components import tracking
from components.checkout import read_checkout
from components.errors import StoppedError
from components.recorded import read_lockfile
from components.tracking_buffer import FOLDER, Buffer, RunDescription, Status, begin

PIPELINE = "PHYS4D_RUN_ID"  # environment: the id under which the stages of one whole run find each other
INTERVAL = 10.0  # seconds between deliveries, and between samples of the system
PATIENCE = 10.0  # seconds the end of a run waits for its last delivery: making a database takes some
SECRET = re.compile(r"token|passw|secret|credential|(api|access|private)_?key", re.IGNORECASE)


class TrackedRun:
    """One run; nothing is written before its first figure."""

    def __init__(self, root: Path, describe: Callable[[], RunDescription], *, key: str) -> None:
        self._root, self._describe, self._key = root, describe, key
        self._buffer: Buffer | None = None
        self._broken = False
        self._seen: set[tuple[str, int]] = set()
        self._last_step = 0
        self._closing = threading.Event()
        self._courier: threading.Thread | None = None
        self._warned = False

    @property
    def begun(self) -> bool:
        """Whether there is anything to record."""
        return self._buffer is not None

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Record figures of a step; what an interrupted attempt at the same work recorded already is passed over."""
        self._last_step = max(self._last_step, step)
        if self.begin():
            fresh = {name: value for name, value in _numbers(metrics) if (name, step) not in self._seen}
            self._write(metrics=fresh, step=step)
            self._start_courier()

    def finish(self, figures: Mapping[str, float]) -> None:
        """Record the figures of the whole run, at its last step."""
        self.log(figures, self._last_step)

    def tag(self, **tags: str) -> None:
        """Record what is not a number."""
        if self.begin():
            self._write(tags=tags)

    def attach(self, path: str) -> None:
        """Record a file of the project, as it is when it is delivered."""
        if self.begin():
            self._write(artifact=path)

    def begin(self) -> bool:
        """Begin the run without a figure; whether there is a file to write to."""
        if self._buffer is None and not self._broken:
            try:
                self._buffer = begin(self._root, self._describe(), key=self._key)
                entries = [entry for entry, _ in self._buffer.entries() if "metrics" in entry]
                self._seen = {(name, int(entry["step"])) for entry in entries for name in entry["metrics"]}
            except OSError as error:
                self._broken = True
                self._warn(f"figures are not recorded: {FOLDER} cannot be written: {error.strerror}")
        return self._buffer is not None

    def end(self, status: Status) -> None:
        """Record how it ended and deliver what is left, within bounds."""
        if self._buffer is None:
            return
        self._write(status=status)
        self._closing.set()
        self._start_courier()
        if self._courier:
            self._courier.join(PATIENCE)
            if self._courier.is_alive():  # it goes on until the process ends; what it does not manage, the next does
                self._warn("MLflow is slow")

    def _start_courier(self) -> None:
        if self._courier is None and self._buffer:
            self._courier = threading.Thread(target=self._carry, args=(self._buffer,), daemon=True)
            self._courier.start()

    def _carry(self, buffer: Buffer) -> None:
        """Deliver, now and then and at the end; then what earlier runs left. Sample the system meanwhile."""
        try:
            store = tracking.Store(self._root)
            sample = self._sampler()
            if not self._closing.is_set():
                self._attempt(lambda: store.deliver(buffer))
            while not self._closing.wait(INTERVAL):
                self._sample(sample, buffer)
                self._attempt(lambda: store.deliver(buffer))
            self._sample(sample, buffer)
            if self._attempt(lambda: store.deliver(buffer)):
                store.forget(buffer)
                self._attempt(lambda: tracking.deliver_all(store))
        except Exception as error:  # noqa: BLE001 -- an MLflow that cannot even be imported is no stage's failure
            self._warn(f"{type(error).__name__}: {error}")
            self._closing.wait()  # the stage goes on writing to the file
        finally:
            buffer.close()

    def _sampler(self) -> Callable[[], dict[str, float]]:
        try:
            return tracking.sampler()
        except Exception as error:  # noqa: BLE001 -- nor is one whose monitors cannot be made
            self._warn(f"no system metrics: {type(error).__name__}: {error}")
            return dict

    def _sample(self, sample: Callable[[], dict[str, float]], buffer: Buffer) -> None:
        """The system's state, at a step of its own: the seconds since the run began."""
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        values = {"system/peak_memory_megabytes": peak * 1024 / 1e6}
        try:
            values |= sample()
        except Exception as error:  # noqa: BLE001 -- a system without disks or networks to count is no failure
            self._warn(f"no system metrics: {type(error).__name__}: {error}")
        self._write(metrics=values, step=round(time.time() - buffer.began / 1000))

    def _attempt(self, deliver: Callable[[], object]) -> bool:
        try:
            deliver()
        except tracking.UnreachableError as error:
            self._warn(str(error))
            return False
        return True

    def _write(self, **entry: object) -> None:
        try:
            if self._buffer:
                self._buffer.append(**entry)
        except OSError as error:  # the line is kept and written with the next one
            self._warn(f"{self._buffer.path if self._buffer else FOLDER}: {error.strerror}")

    def _warn(self, cause: str) -> None:
        """One line a run: the stage goes on."""
        if not self._warned:
            self._warned = True
            sys.stderr.write(
                f"warning: {cause}; figures are kept in {FOLDER}, the next run delivers them, or phys4d tracking sync\n"
            )
            sys.stderr.flush()


@contextmanager
def stage_run(
    root: Path,
    *,
    name: str,
    profile: str,
    params: Mapping[str, object],
    key: str,
    work: Path,
    reads: Callable[[], Mapping[str, str]] = dict,
) -> Iterator[TrackedRun]:
    """The run of stage `name` with the parameters it sees, at the work that `key` names and that `work` resumes.

    reads: hashes of the data and models that it reads of other stages, asked for where there is a figure to record.
    """

    def describe() -> RunDescription:
        return RunDescription(
            kind="stage",
            experiment=f"phys4d/{profile}",
            name=name,
            pipeline=pipeline_id(),
            params=dict(flatten(params)),
            tags={
                "stage": name,
                "work_key": key,
                **lineage(root),
                **{f"input/{path}": digest for path, digest in reads().items()},
            },
            work=str(work.relative_to(root)),
        )

    with _ended(TrackedRun(root, describe, key=key)) as run:
        yield run


@contextmanager
def pipeline_run(root: Path, *, profile: str, pipeline: str) -> Iterator[TrackedRun]:
    """The run above the stages of one whole run."""

    def describe() -> RunDescription:
        return RunDescription(
            kind="pipeline",
            experiment=f"phys4d/{profile}",
            name="pipeline",
            pipeline=pipeline,
            params={},
            tags=lineage(root),
            work="",
        )

    with _ended(TrackedRun(root, describe, key=pipeline)) as run:
        run.begin()
        yield run


@contextmanager
def _ended(run: TrackedRun) -> Iterator[TrackedRun]:
    try:
        yield run
    except (StoppedError, KeyboardInterrupt):
        run.end("KILLED")
        raise
    except BaseException:
        run.end("FAILED")
        raise
    run.end("FINISHED")


def _numbers(metrics: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """The metrics that are numbers; what is none is a mistake, but no reason to lose the stage."""
    for name, value in metrics.items():
        try:
            yield name, float(value)
        except (TypeError, ValueError):
            sys.stderr.write(f"warning: {name} is {value!r}, no number: it is not recorded\n")


def pipeline_id() -> str:
    """The id of the whole run this process belongs to, empty when it belongs to none."""
    return re.sub(r"[^\w.:-]", "_", os.environ.get(PIPELINE, ""))


def flatten(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested parameters by dotted names, as text; whatever is named like a secret is left out."""
    for name, value in values.items():
        if SECRET.search(name):
            continue
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", tracking.without_password(value if isinstance(value, str) else json.dumps(value))


def lineage(root: Path) -> dict[str, str]:
    """What the run was made from: git's commit, where there is one, and dvc.lock."""
    tags = {}
    if checkout := read_checkout(root):
        tags = {"mlflow.source.git.commit": checkout.commit, "git_dirty": str(checkout.changed).lower()}
    if recorded := read_lockfile(root):
        tags["dvc_lock_sha256"] = sha256(recorded).hexdigest()
    return tags
