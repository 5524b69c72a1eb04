"""A Prefect server on loopback, its database in the project: for the time of one run, or of `phys4d serve`."""

import atexit
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from components.errors import Phys4dError
from flows.child import start

HOME = Path(".phys4d/prefect")
LOG = Path(".phys4d/run/prefect-server.log")
HOST = "127.0.0.1"
POOL = "phys4d"  # of workers, as prefect.yaml names it
DEPLOYED = "phys4d: every deployment is made"  # a line of our worker's log
STARTUP = 120.0  # seconds; the first start on a busy machine takes half a minute, because it makes the database
SETTINGS = {  # what the user has set stays as it is
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": f"{STARTUP:.0f}",
    "PREFECT_LOGGING_FORMATTERS_STANDARD_FLOW_RUN_FMT": "%(asctime)s %(message)s",
    "PREFECT_LOGGING_FORMATTERS_STANDARD_TASK_RUN_FMT": "%(asctime)s %(task_run_name)s | %(message)s",
}
LOCAL = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}  # no services


def configure(root: Path) -> None:
    """Prefect's environment; before Prefect is imported, which reads it once."""
    for name, value in {**SETTINGS, "PREFECT_HOME": str((root / HOME).resolve())}.items():
        os.environ.setdefault(name, value)


def start_server(root: Path) -> Callable[[], None]:
    """Start a server, unless PREFECT_API_URL names one; call what is returned to wait until it answers.

    It starts beside whatever the caller does first, and ends with this process, however that ends: after Prefect has
    sent its last messages. Ctrl-C does not reach it, so that a run that is being stopped can still say so.
    """
    if os.environ.get("PREFECT_API_URL"):
        return lambda: None
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    process = launch_server(root, port, LOCAL)
    atexit.register(end, process)
    os.environ |= {"PREFECT_API_URL": api_url(port), "PREFECT_UI_URL": ""}
    return lambda: wait_for_server(process)


def launch_server(root: Path, port: int, environment: Mapping[str, str], *, log: Path = LOG) -> subprocess.Popen[bytes]:
    """Start a server on that port, with this beside our own environment; what it complains of goes to `log`."""
    log = root / log
    log.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["--factory", "prefect.server.api.server:create_app", "--host", HOST, "--port", str(port)]
    with log.open("wb") as file:
        return start("uvicorn", *arguments, "--log-level", "error", environment={**os.environ, **environment}, log=file)


def wait_for_server(process: subprocess.Popen[bytes], *, log: Path = LOG) -> None:
    """Until it answers where PREFECT_API_URL says; Phys4dError names its log when it does not."""
    deadline = time.monotonic() + STARTUP
    while not _answers(f"{os.environ['PREFECT_API_URL']}/health"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Phys4dError(f"Prefect's server did not start: {log} says why")
        time.sleep(0.1)


def api_url(port: int) -> str:
    """Where a server of ours is spoken to."""
    return f"http://{HOST}:{port}/api"


def end(process: subprocess.Popen[bytes], *, patience: float = 10.0) -> None:
    """Have a process end, by force after `patience` seconds."""
    process.terminate()
    try:
        process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- our own, on loopback
            return bool(answer.status == 200)
    except OSError:
        return False
