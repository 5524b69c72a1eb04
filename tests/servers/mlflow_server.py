"""A real MLflow server on loopback, on PostgreSQL where its Debian package is there, on sqlite otherwise."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.ceph_daemons import free_port
from tests.tracked import make_database

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/nowhere"))
HAS_POSTGRES = (BINARIES / "initdb").exists()
PATIENCE = 120  # seconds until a server answers on a busy machine


@dataclass(kw_only=True)
class MlflowServer:
    """A server that can be ended and started again with all it holds. database: MLflow's uri of it."""

    folder: Path
    database: str
    port: int
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--backend-store-uri", self.database]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        log = (self.folder / "log").open("ab")
        environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
        process = subprocess.Popen(
            command, cwd=self.folder, stdout=log, stderr=log, env=environment, start_new_session=True
        )
        self._processes.append(process)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.address}/health", timeout=1):  # noqa: S310 -- loopback
                return
            time.sleep(0.1)
        raise RuntimeError(f"MLflow did not answer: {(self.folder / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        """End it as a machine that is switched off does."""
        while self._processes:
            process = self._processes.pop()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait(timeout=30)


@contextmanager
def mlflow_server(folder: Path) -> Iterator[MlflowServer]:
    """A running server whose files lie in `folder`."""
    with _database(folder) as database:
        server = MlflowServer(folder=folder, database=database, port=free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    if not HAS_POSTGRES:
        yield f"sqlite:///{make_database(folder)}"
        return
    user = pwd.getpwnam("postgres").pw_uid if os.getuid() == 0 else None  # it refuses to be root
    place = Path(tempfile.mkdtemp(prefix="phys4d-postgres-"))
    if user is not None:
        shutil.chown(place, user)
    port, data = free_port(), str(place / "data")

    def command(*arguments: str) -> None:
        subprocess.run(arguments, check=True, capture_output=True, user=user, cwd=place)

    try:
        command(str(BINARIES / "initdb"), "-D", data, "-U", "mlflow", "--auth=trust", "--encoding=UTF8")
        options = f"-p {port} -k {place} -c listen_addresses=127.0.0.1 -c fsync=off"
        command(str(BINARIES / "pg_ctl"), "-D", data, "-o", options, "-l", str(place / "log"), "-w", "start")
        try:
            yield f"postgresql+psycopg://mlflow@127.0.0.1:{port}/postgres"
        finally:
            command(str(BINARIES / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)
