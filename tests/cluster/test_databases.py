"""The scripts and the servers that stand in the manifests, run against a real PostgreSQL."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.cluster.objects import Fields, manifests, named, pod_template
from tests.integration.project import wait_until
from tests.servers.ceph_daemons import free_port

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/nowhere"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BINARIES / "initdb").exists(), reason="needs the Debian package postgresql"),
]
PASSWORDS = {"admin": "a", "mlflow": "p'w\"$x \\ y", "prefect": "b@c/d:e%41#?"}


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
def server() -> Iterator[Server]:
    # not below pytest's folder: each pytest that starts closes it to PostgreSQL's user
    folder = Path(tempfile.mkdtemp(prefix="phys4d-postgres-"))
    for name in ("secrets", "backups"):
        (folder / name).mkdir()
    for name, password in PASSWORDS.items():
        (folder / "secrets" / name).write_text(password)
    user = pwd.getpwnam("postgres") if os.getuid() == 0 else None  # it refuses to be root
    if user:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user.pw_uid)
    port = free_port()

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
        shutil.rmtree(folder)


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


QUIET = {"DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
POD = "10.0.0.7"  # a kubelet asks a pod by its own address
WAIT = 300.0  # seconds: what the manifests give a server to start in


def container(deployment: str, name: str) -> Fields:
    template = pod_template(named(manifests(), "Deployment", deployment))
    assert template is not None
    spec = template["spec"]
    found: Fields = next(one for one in (*spec.get("initContainers", ()), *spec["containers"]) if one["name"] == name)
    return found


@dataclass(frozen=True, kw_only=True)
class Contained:
    """A container of the manifests on this machine: nothing but addresses, folders and secrets is another."""

    manifest: Fields
    server: Server
    port: int

    def start(self) -> subprocess.Popen[bytes]:
        """What a kubelet starts."""
        variables = self._variables()
        words = [*self.manifest["command"], *self.manifest.get("args", ())]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [self._here(word, variables) for word in words],
                cwd=self.server.folder,
                env=variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def log(self) -> Path:
        return self.server.folder / f"{self.manifest['name']}.log"

    def _variables(self) -> dict[str, str]:
        found = {**QUIET, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        for one in self.manifest["env"]:
            source = one.get("valueFrom", {})
            if "secretKeyRef" in source:
                found[one["name"]] = PASSWORDS[source["secretKeyRef"]["name"].removeprefix("postgres-")]
            elif source:
                found[one["name"]] = str(self.server.folder / source["configMapKeyRef"]["name"])
            else:
                found[one["name"]] = self._here(one["value"], found)
        return found

    def _here(self, word: str, variables: dict[str, str]) -> str:
        whole = {"0.0.0.0": "127.0.0.1", "postgres": "127.0.0.1", "5432": str(self.server.port)}  # noqa: S104
        whole |= {str(one["containerPort"]): str(self.port) for one in self.manifest.get("ports", ())}
        word = whole.get(word, word).replace("@postgres:5432/", f"@127.0.0.1:{self.server.port}/")
        word = re.sub(r"^/(tmp|run)(?=/|$)", str(self.server.folder), word)
        return re.sub(r"\$\((\w+)\)", lambda name: variables[name[1]], word)

    def answer(self, path: str, *, host: str) -> int:
        """The status of a GET; 0 when nobody answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 -- loopback
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While it runs, from when all its probes are answered."""
        process = self.start()
        try:
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                asked = self.manifest[kind]["httpGet"]
                assert asked["port"] in {one["name"] for one in self.manifest["ports"]}

                def has_answered(path: str = asked["path"]) -> bool:
                    assert process.poll() is None, self.log.read_text()[-2000:]
                    return self.answer(path, host=f"{POD}:{self.port}") == 200

                wait_until(has_answered, seconds=WAIT, every=0.2)
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_mlflow_makes_its_schema_finds_it_again_and_answers(server: Server) -> None:
    with server.connect("mlflow", "mlflow", PASSWORDS["mlflow"]) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")  # of the other tests
    schema = Contained(manifest=container("mlflow", "schema"), server=server, port=0)
    for _ in ("empty", "there already"):
        assert schema.start().wait() == 0, schema.log.read_text()[-2000:]
    mlflow = Contained(manifest=container("mlflow", "mlflow"), server=server, port=free_port())
    path = "/api/2.0/mlflow/experiments/search?max_results=1"
    with mlflow.answering():
        assert mlflow.answer(path, host="mlflow:5000") == 200
        assert mlflow.answer(path, host=f"{POD}:5000") == 403
        with server.connect("mlflow", "mlflow", PASSWORDS["mlflow"]) as connection:
            assert connection.execute("SELECT name FROM experiments").fetchall() == [("Default",)]


def test_prefect_makes_its_schema_and_answers(server: Server) -> None:
    prefect = Contained(manifest=container("prefect-server", "prefect-server"), server=server, port=free_port())
    with (
        prefect.answering(),
        server.connect("prefect", "prefect", PASSWORDS["prefect"]) as connection,
    ):
        assert connection.execute("SELECT count(*) FROM flow_run").fetchall() == [(0,)]
