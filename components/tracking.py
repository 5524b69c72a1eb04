"""MLflow, where runs of stages and their figures end up; only this module and the registry import it.

What is to be delivered stands in files below .phys4d/tracking (`components.tracking_buffer`). Delivering one again
changes nothing: a run is found by the tag of its file, and MLflow tells a figure it has by name, step, time and value.
A database that is locked, gone or out of reach costs one short attempt.
"""

import fcntl
import logging
import os
import posixpath
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from components.errors import Phys4dError
from components.tracking_buffer import Buffer, Delivery, RunDescription, buffers, open_buffer

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

T = TypeVar("T")

DATABASE = Path(".phys4d/mlflow.db")
ARTIFACTS = Path(".phys4d/mlartifacts")
LOCKED = 1.0  # seconds a delivery waits for a locked database; MLflow itself would wait 20 for each statement
METRICS = 1000  # of one request,
SETTINGS = 100  # parameters or tags: MLflow's bounds
LOGGERS = ("mlflow", "alembic", "urllib3")  # what is wrong is said once, by us
LASTING = {  # what MLflow reads once, as it is loaded
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",  # a pooled connection would write into a deleted file
}
SECRET_VALUE = re.compile(r"([?&][^=&\s]*(?:token|passw|secret|credential|key)[^=&\s]*=)[^&\s]*", re.IGNORECASE)
BRIEF = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


class UnreachableError(Phys4dError):
    """MLflow's database or server did not take what it was given."""


@dataclass(frozen=True, kw_only=True)
class Synced:
    """Runs whose figures are all in MLflow now, and runs that are still being written."""

    delivered: int
    running: int


def tracking_uri(root: Path) -> str:
    """MLFLOW_TRACKING_URI, or the project's own sqlite database."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(root / DATABASE).resolve()}"


def pages(root: Path) -> str | None:
    """Where MLflow's pages are, without a password that stands in the address; the project's own database has none."""
    address = urlsplit(tracking_uri(root))
    if address.scheme not in ("http", "https"):
        return None
    return address._replace(netloc=address.netloc.rpartition("@")[2]).geturl()


def connect(root: Path) -> "MlflowClient":
    """A client of MLflow; makes the project's database when there is none."""
    uri = tracking_uri(root)
    with silenced({}):
        from mlflow import MlflowClient

        if path := sqlite_path(uri):
            _make_database(path, root)
        return MlflowClient(uri, registry_uri=uri)


@contextmanager
def silenced(settings: Mapping[str, str]) -> Iterator[None]:
    """MLflow without its own messages, and with `settings` of its environment where the user chose none."""
    for name, value in LASTING.items():
        os.environ.setdefault(name, value)
    import mlflow  # noqa: F401 -- it sets up its loggers as it is loaded

    with ExitStack() as stack:
        for logger in map(logging.getLogger, LOGGERS):
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL + 1)
        for name in settings.keys() - os.environ.keys():
            stack.callback(os.environ.pop, name, None)
            os.environ[name] = settings[name]
        yield


def experiment_id(client: "MlflowClient", name: str, root: Path) -> str:
    """The id of an experiment, which is made when there is none and restored when it was deleted."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        location = (root / ARTIFACTS).resolve().as_uri() if sqlite_path(tracking_uri(root)) else None
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another process was faster
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def sampler() -> Callable[[], dict[str, float]]:
    """A function that gives MLflow's system metrics of this moment: CPU, memory, disk, network, accelerators."""
    with silenced({}):
        from mlflow.exceptions import MlflowException
        from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
        from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
        from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
        from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

        monitors = [CPUMonitor(), DiskMonitor(), NetworkMonitor()]
        monitors[0].collect_metrics()  # a processor's use is counted from one call to the next
        with suppress(ImportError, RuntimeError, MlflowException):  # no NVIDIA accelerator, or no reader of it
            monitors.append(GPUMonitor())

    def sample() -> dict[str, float]:
        figures: dict[str, float] = {}
        for monitor in monitors:
            monitor.clear_metrics()
            monitor.collect_metrics()
            figures |= {f"system/{name}": float(value) for name, value in monitor.aggregate_metrics().items()}
        return figures

    return sample


def sync(root: Path) -> Synced:
    """Deliver what is still on disk; UnreachableError when MLflow does not take it: nothing is lost, try again."""
    return deliver_all(Store(root))


def deliver_all(store: "Store") -> Synced:
    """Deliver every file that no living process is writing; a run whose writer was killed ends as killed."""
    delivered = running = 0
    for path in buffers(store.root):
        buffer = open_buffer(path)
        if buffer is None:
            running += 1
            continue
        with closing(buffer):
            if buffer.status() == "RUNNING":
                buffer.append(status="KILLED")
            delivered += store.deliver(buffer)
            store.forget(buffer)
    return Synced(delivered=delivered, running=running)


class Store:
    """MLflow as a place of delivery; it is opened anew after every failure."""

    def __init__(self, root: Path) -> None:
        self.root, self.uri = root, tracking_uri(root)
        self.target = sha256(self.uri.encode()).hexdigest()[:16]
        self._client: MlflowClient | None = None
        self._database: tuple[int, int] | None = None
        self._known: set[str] = set()  # runs this process has seen there

    def deliver(self, buffer: Buffer) -> bool:
        """Whether anything was left to deliver; UnreachableError when it could not be delivered."""
        before = buffer.delivery()
        offset = before.offset if before and before.target == self.target else 0
        if next(buffer.entries(offset), None) is None:
            return False
        path = sqlite_path(self.uri)
        with silenced(BRIEF):
            try:
                if path:
                    _wait_until_unlocked(path)
                self._deliver(self._open(path), buffer, before if offset else None)
            except Exception as error:  # whatever a driver, a database or a server may raise
                self._client = None
                raise UnreachableError(f"MLflow at {without_password(self.uri)}: {one_line(error)}") from error
        return True

    def forget(self, buffer: Buffer) -> None:
        """Remove a file that is all delivered, unless the run may yet be continued."""
        delivery, work = buffer.delivery(), buffer.description.work
        resumable = buffer.status() != "FINISHED" and work and (self.root / work).exists()
        if delivery and not resumable and next(buffer.entries(delivery.offset), None) is None:
            buffer.remove()

    def _open(self, path: Path | None) -> "MlflowClient":
        """The client; a new one, which knows no run, when the database is another than it was."""
        if self._client is None or _identity(path) != self._database:
            self._client = connect(self.root)
            self._database = _identity(path)
            self._known.clear()
        return self._client

    def _deliver(self, client: "MlflowClient", buffer: Buffer, before: Delivery | None) -> None:
        from mlflow.entities import Metric, RunTag

        def record(offset: int) -> None:
            if _identity(sqlite_path(self.uri)) != self._database:
                raise OSError("the database was replaced meanwhile")
            buffer.delivered(Delivery(target=self.target, run_id=run, offset=offset))

        run, offset = (before.run_id, before.offset) if before and self._has(client, before.run_id) else ("", 0)
        if not run:
            run = self._begin(client, buffer)
        metrics: list[Metric] = []
        for entry, after in buffer.entries(offset):
            time = int(entry["time"])
            values, step = entry.get("metrics", {}), int(entry.get("step", 0))
            metrics += [Metric(metric_name(key), value, time, step) for key, value in values.items()]
            if tags := entry.get("tags"):
                client.log_batch(run, tags=[RunTag(metric_name(key), value) for key, value in tags.items()])
            if (artifact := entry.get("artifact")) and (self.root / artifact).is_file():
                client.log_artifact(run, str(self.root / artifact))
            status = entry.get("status")
            if status or len(metrics) >= METRICS:
                log_metrics(client, run, metrics)
                metrics = []
            if status == "RUNNING":
                client.update_run(run, status=status)
            elif status:
                client.set_terminated(run, status=status, end_time=time)
            if status or not metrics:
                record(after)
            offset = after
        log_metrics(client, run, metrics)
        record(offset)

    def _has(self, client: "MlflowClient", run: str) -> bool:
        """Whether a run that was delivered to before is still there."""
        from mlflow.exceptions import MlflowException

        if run not in self._known:
            try:
                if client.get_run(run).info.lifecycle_stage == "deleted":
                    return False
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                return False
            self._known.add(run)
        return True

    def _begin(self, client: "MlflowClient", buffer: Buffer) -> str:
        """The run of a file, found by its tag or made, with its parameters and tags."""
        from mlflow.entities import Param, RunTag

        description = buffer.description
        experiment = experiment_id(client, description.experiment, self.root)
        if description.kind == "pipeline":
            run = parent_run(client, experiment, description.pipeline, buffer.began)
        else:
            run = _stage_run(client, experiment, description, buffer)
        params = [Param(metric_name(key), value) for key, value in description.params.items()]
        tags = [RunTag(metric_name(key), value) for key, value in description.tags.items()]
        for some in _chunks(params, SETTINGS):
            client.log_batch(run, params=some)
        for some in _chunks(tags, SETTINGS):
            client.log_batch(run, tags=some)
        self._known.add(run)
        return run


def _stage_run(client: "MlflowClient", experiment: str, description: RunDescription, buffer: Buffer) -> str:
    found = _find_run(client, experiment, f"tags.file = '{buffer.identity}'")
    if found:
        return found
    tags = {"kind": "stage", "file": buffer.identity}
    if description.pipeline:
        parent = parent_run(client, experiment, description.pipeline, buffer.began)
        tags |= {"pipeline_id": description.pipeline, "mlflow.parentRunId": parent}
    run = client.create_run(experiment, start_time=buffer.began, tags=tags, run_name=description.name)
    return str(run.info.run_id)


def parent_run(client: "MlflowClient", experiment: str, pipeline: str, began: int | None = None) -> str:
    """The parent of a pipeline's runs; of two that were made at once the elder counts."""
    query = f"tags.pipeline_id = '{pipeline}' and tags.kind = 'pipeline'"
    found = _find_run(client, experiment, query)
    if found:
        return found
    tags = {"kind": "pipeline", "pipeline_id": pipeline}
    made = str(client.create_run(experiment, start_time=began, tags=tags, run_name=pipeline).info.run_id)
    elder = _find_run(client, experiment, query)
    if elder and elder != made:
        client.delete_run(made)
        return elder
    return made


def _find_run(client: "MlflowClient", experiment: str, query: str) -> str | None:
    order = ["attributes.start_time ASC", "attributes.run_id ASC"]
    found = client.search_runs([experiment], filter_string=query, order_by=order, max_results=1)
    return str(found[0].info.run_id) if found else None


def log_metrics(client: "MlflowClient", run: str, metrics: Iterable["Metric"]) -> None:
    """Log any number of metrics."""
    for some in _chunks(metrics, METRICS):
        client.log_batch(run, metrics=some)


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some


def metric_name(name: str) -> str:
    """A name as MLflow takes it."""
    name = re.sub(r"[^\w\-. :/]", "_", name)[:250]
    return name if posixpath.normpath(name) == name and not name.startswith(("/", "..")) else re.sub("[/.]", "_", name)


def sqlite_path(uri: str) -> Path | None:
    """The file of a sqlite database; None for a server or another database."""
    return Path(uri.removeprefix("sqlite:///").partition("?")[0]) if uri.startswith("sqlite:///") else None


def _make_database(path: Path, root: Path) -> None:
    """MLflow's tables in a new file, which appears whole; MLflow itself locks nothing while it makes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists() and path.stat().st_size > 0:
            return
        part = path.with_name(f".{path.name}.part")
        part.unlink(missing_ok=True)  # a killed process left it
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        SqlAlchemyStore(f"sqlite:///{part.resolve()}", (root / ARTIFACTS).resolve().as_uri())
        part.replace(path)


def _wait_until_unlocked(path: Path) -> None:
    """sqlite3.Error when a database cannot be written to, after a short wait."""
    if path.exists() and path.stat().st_size > 0:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=LOCKED)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Which file a database is; None when it is gone, and for a server."""
    if path is None or not path.exists():
        return None
    found = path.stat()
    return found.st_dev, found.st_ino


def without_password(text: str) -> str:
    """Text whose addresses show no user, no password and no secret of their query; rather too little is shown.

    A password may hold @ and /, so that everything up to an address's last @ is taken for it.
    """
    return re.sub(r"//\S*@", "//***@", SECRET_VALUE.sub(r"\1***", text))


def one_line(error: BaseException | str) -> str:
    """An error or an address in one line, without passwords."""
    text = without_password(" ".join(str(error).split())) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}..."
