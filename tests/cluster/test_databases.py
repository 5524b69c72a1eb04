"""The scripts that stand in the manifests, run against a real PostgreSQL."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.cluster.objects import manifests, named, pod_template

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/nowhere"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BINARIES / "initdb").exists(), reason="needs the Debian package postgresql"),
]
PASSWORDS = {"admin": "a", "mlflow": "p'w\"$x \\ y", "prefect": "b"}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A PostgreSQL that the manifests' own script has set up."""

    folder: Path
    port: int

    def connect(self, user: str, database: str, password: str) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=user, dbname=database, password=password, connect_timeout=10
        )

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """A script of the manifests, with its folders here."""
        for there, here in (("/run/secrets/phys4d", "secrets"), ("/tmp/contents", "contents")):  # noqa: S108
            script = script.replace(there, str(self.folder / here))
        environment = {"PATH": f"{BINARIES}:{os.environ['PATH']}", "POSTGRES_USER": "postgres"}
        environment |= {"PGHOST": str(self.folder), "PGPORT": str(self.port)}
        return subprocess.run(
            ["sh", "-c", script],
            cwd=self.folder / "backups",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = Path(os.path.realpath(tmp_path_factory.mktemp("pg")))
    for name in ("secrets", "backups"):
        (folder / name).mkdir()
    for name, password in PASSWORDS.items():
        (folder / "secrets" / name).write_text(password)
    user = pwd.getpwnam("postgres") if os.getuid() == 0 else None  # it refuses to be root
    if user:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user.pw_uid)
        for parent in list(folder.parents)[:3]:
            parent.chmod(parent.stat().st_mode | 0o011)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def command(*arguments: str) -> None:
        subprocess.run(arguments, check=True, capture_output=True, user=user.pw_uid if user else None, cwd=folder)

    data = str(folder / "data")
    command(str(BINARIES / "initdb"), "-D", data, "-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    command(str(BINARIES / "pg_ctl"), "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        running = Server(folder=folder, port=port)
        result = running.run(named(manifests(), "ConfigMap", "postgres-init")["data"]["10-databases.sh"])
        assert result.returncode == 0, result.stderr
        yield running
    finally:
        command(str(BINARIES / "pg_ctl"), "-D", data, "-m", "immediate", "stop")


@pytest.mark.parametrize("name", ["mlflow", "prefect"])
def test_each_has_a_database_of_its_own_and_its_password(server: Server, name: str) -> None:
    with server.connect(name, name, PASSWORDS[name]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (x int)")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        server.connect(name, name, "wrong")


def test_neither_sees_the_others(server: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        server.connect("mlflow", "prefect", PASSWORDS["mlflow"])


def backup() -> str:
    template = pod_template(named(manifests(), "CronJob", "backup"))
    assert template is not None
    script: str = template["spec"]["containers"][0]["args"][0]
    return script


def test_a_backup_can_be_read_and_the_last_fourteen_stay(server: Server) -> None:
    folder = server.folder / "backups"
    for day in range(10, 30):
        (folder / f"mlflow-2020-01-{day}T003000Z.dump").touch()
    with server.connect("mlflow", "mlflow", PASSWORDS["mlflow"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (x int)")
    result = server.run(backup())
    assert result.returncode == 0, result.stderr
    kept = sorted(folder.glob("mlflow-*.dump"))
    assert [path.name[:17] for path in kept[:-1]] == [f"mlflow-2020-01-{day}" for day in range(17, 30)]
    listed = subprocess.run([BINARIES / "pg_restore", "--list", kept[-1]], capture_output=True, text=True, check=True)
    assert "TABLE DATA public kept" in listed.stdout
    assert len(list(folder.glob("prefect-*.dump"))) == 1


def test_a_backup_that_fails_leaves_the_older_ones_and_says_so(server: Server) -> None:
    before = sorted((server.folder / "backups").glob("*.dump"))
    result = server.run(backup().replace("--dbname $name", "--dbname none"))
    assert result.returncode != 0
    assert "none" in result.stderr
    assert sorted((server.folder / "backups").glob("*.dump")) == before
