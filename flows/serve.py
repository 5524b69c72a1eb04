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
    with outermost("stopped"):
        parser = argparse.ArgumentParser(prog="phys4d serve")
        parser.add_argument("--port", type=int, default=PORT)
        serve(Path.cwd(), parser.parse_args().port)


@contextmanager
def outermost(stopped: str) -> Iterator[None]:
    """A process's whole work, in the project's folder: TERM and INT end it with that line, an error with its code."""
    signal.signal(signal.SIGTERM, _raise_stopped)
    signal.signal(signal.SIGINT, _raise_stopped)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        os.chdir(project_root())
        yield
    except StoppedError:
        say(stopped)
    except Exception as error:  # noqa: BLE001 -- the outermost frame: all becomes an exit code
        code, message = explain(error)
        say(f"phys4d: {' '.join(message.split())}")
        sys.exit(int(code))


def serve(root: Path, port: int) -> None:
    """Start everything and wait for what ends first; it never returns by itself."""
    if os.environ.get("PREFECT_API_URL"):
        raise ParametersError(
            f"PREFECT_API_URL names the server {os.environ['PREFECT_API_URL']!r}: {DEPLOYMENTS} says at its top how "
            "its deployments get there; unset PREFECT_API_URL for a server of this project's own"
        )
    with only_one(root, "phys4d serve"):
        _check_free(port)
        configure(root)
        os.environ |= {"PREFECT_API_URL": api_url(port), "PHYS4D_ROOT": str(root)}
        with _server(root, port) as server, _worker(root) as worker:
            _wait(server, worker, until=lambda: DEPLOYED in (root / WORKER_LOG).read_text())
            say(f"Prefect: http://{HOST}:{port}")
            say("Ctrl-C ends it; a run that it stops saves, and the next one continues it")
            _wait(server, worker, until=lambda: False)


@contextmanager
def only_one(root: Path, name: str) -> Iterator[None]:
    """While no other worker is in this project; Phys4dError names the process of the one that is."""
    try:
        with exclusive(root / LOCK, name, patience=0.0):
            yield
    except TakenError:
        holder = lock_holder(root / LOCK)
        raise Phys4dError(f"{name} runs in this project already, as process {holder}: stop it with TERM") from None


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
    runs = runs_of(worker)
    for run in runs:
        run.terminate()
    psutil.wait_procs(runs, timeout=SAVING)


def runs_of(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes of what a worker runs: its children that have a group of their own."""
    try:
        return [child for child in psutil.Process(worker.pid).children() if os.getpgid(child.pid) == child.pid]
    except (psutil.NoSuchProcess, ProcessLookupError):
        return []


def _wait(server: subprocess.Popen[bytes], worker: subprocess.Popen[bytes], *, until: Callable[[], bool]) -> None:
    while not until():
        for process, log in ((server, SERVER_LOG), (worker, WORKER_LOG)):
            if process.poll() is not None:
                raise Phys4dError(f"Prefect's {log.stem.removeprefix('serve-')} ended: {log} says why")
        time.sleep(0.2)


def say(line: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _raise_stopped(_number: int, _frame: FrameType | None) -> None:
    """Handler of TERM and INT: StoppedError, once."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is being stopped: what follows must not be cut short
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise StoppedError("stopped")


if __name__ == "__main__":
    main()
