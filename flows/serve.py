"""Prefect for one machine: `python -m flows.serve`, which `phys4d serve` is.

A server with its scheduler and its pages, the deployments of prefect.yaml, and a worker that runs them one at a time,
until it is stopped: then what runs saves, the worker ends, and the server last, because both still tell it how.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType

import psutil

from components.__main__ import QUIET, explain
from components.errors import ParametersError, Phys4dError, StoppedError
from components.locks import TakenError, exclusive, lock_holder
from components.pipeline.execution import project_root
from flows.child import start
from flows.server import DEPLOYED, HOST, api_url, configure, end, launch_server, wait_for_server

LOCK = Path(".phys4d/run/serve.lock")
SERVER_LOG, WORKER_LOG = Path(".phys4d/run/serve-server.log"), Path(".phys4d/run/serve-worker.log")
DEPLOYMENTS = Path("prefect.yaml")
PORT = 4200
SAVING = 120.0  # seconds that a run which is stopped may take to save


def main() -> None:
    """Serve until TERM or INT; exit with the code of what went wrong, if anything did."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        parser = argparse.ArgumentParser(prog="phys4d serve")
        parser.add_argument("--port", type=int, default=PORT)
        port = parser.parse_args().port
        os.chdir(project_root())
        serve(Path.cwd(), port)
    except StoppedError:
        _say("stopped")
    except Exception as error:  # noqa: BLE001 -- the outermost frame: all becomes an exit code
        code, message = explain(error)
        _say(f"phys4d: {' '.join(message.split())}")
        sys.exit(int(code))


def serve(root: Path, port: int) -> None:
    """Start everything and wait for what ends first; it never returns by itself."""
    if os.environ.get("PREFECT_API_URL"):
        raise ParametersError(
            f"PREFECT_API_URL names the server {os.environ['PREFECT_API_URL']!r}: {DEPLOYMENTS} says at its top how "
            "its deployments get there; unset PREFECT_API_URL for a server of this project's own"
        )
    with _only_one(root):
        _check_free(port)
        configure(root)
        os.environ |= {"PREFECT_API_URL": api_url(port), "PHYS4D_ROOT": str(root)}
        with _server(root, port) as server, _worker(root) as worker:
            _wait(server, worker, until=lambda: DEPLOYED in (root / WORKER_LOG).read_text())
            _say(f"Prefect: http://{HOST}:{port}")
            _say("Ctrl-C ends it; a run that it stops saves, and the next one continues it")
            _wait(server, worker, until=lambda: False)


@contextmanager
def _only_one(root: Path) -> Iterator[None]:
    try:
        with exclusive(root / LOCK, "phys4d serve", patience=0.0):
            yield
    except TakenError:
        holder = lock_holder(root / LOCK)
        raise Phys4dError(
            f"phys4d serve runs in this project already, as process {holder}: stop it with TERM"
        ) from None


def _check_free(port: int) -> None:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ParametersError(f"--port {port} cannot be used ({error.strerror}): name another") from None


@contextmanager
def _server(root: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    url = f"http://{HOST}:{port}"
    pages = {"PREFECT_UI_URL": url, "PREFECT_SERVER_UI_API_URL": f"{url}/api", "PREFECT__SERVER_FINAL": "1"}
    process = launch_server(root, port, pages, log=SERVER_LOG)
    try:
        wait_for_server(process, log=SERVER_LOG)
        yield process
    finally:
        end(process)


@contextmanager
def _worker(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (root / WORKER_LOG).open("wb") as log:
        process = start("flows.worker", environment=os.environ, log=log, output=log)
    try:
        yield process
    finally:
        _end_runs(process)
        end(process)


def _end_runs(worker: subprocess.Popen[bytes]) -> None:
    """Have what the worker runs save and end, before the worker, which would kill it."""
    try:
        children = psutil.Process(worker.pid).children()
    except psutil.NoSuchProcess:
        return
    runs = [child for child in children if os.getpgid(child.pid) == child.pid]  # a group of its own: a run
    for run in runs:
        run.terminate()
    psutil.wait_procs(runs, timeout=SAVING)


def _wait(server: subprocess.Popen[bytes], worker: subprocess.Popen[bytes], *, until: Callable[[], bool]) -> None:
    while not until():
        for process, log in ((server, SERVER_LOG), (worker, WORKER_LOG)):
            if process.poll() is not None:
                raise Phys4dError(f"Prefect's {log.stem.removeprefix('serve-')} ended: {log} says why")
        time.sleep(0.2)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _stop(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is being stopped: what follows must not be cut short
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise StoppedError("stopped")


if __name__ == "__main__":
    main()
