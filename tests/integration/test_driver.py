"""The driver of a cluster on a real server of Prefect, on a toy graph: what it leaves, the next one goes on with.

One of its stages runs in the driver's pod, the other in a pod of its own.
"""

import http.client
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.errors import ExitCode
from components.storage.store import Storage
from flows.server import DEPLOYED, configure, end, launch_server, wait_for_server
from tests.flows.served import SOON, Api, free_port
from tests.flows.toy import attempts, lock_hashes, order
from tests.integration.nodes import Nodes, nodes_of
from tests.integration.project import DVC, Project, wait_until

pytestmark = pytest.mark.slow


class Pod:
    """A driver in its project, as its pod starts it."""

    def __init__(self, project: Project) -> None:
        self.log, self.port = project.root / "driver.log", free_port()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flows.driver"],
                cwd=project.root,
                env={**project.environment(), **SOON, "PREFECT_WORKER_WEBSERVER_PORT": str(self.port)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(lambda: DEPLOYED in self.log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()

    def is_well(self) -> bool:
        """What the probes of its manifest ask."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health") as answer:
                return bool(answer.status == http.client.OK)
        except OSError:  # it does not listen yet
            return False

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait()


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A server elsewhere, as the cluster's is."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    port = free_port()
    (tmp_path / "server").mkdir()
    configure(tmp_path / "server")
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
    server = launch_server(tmp_path / "server", port, {"PREFECT__SERVER_FINAL": "1"})
    wait_for_server(server)
    monkeypatch.delenv("PREFECT_HOME")
    yield Api(f"http://127.0.0.1:{port}")
    end(server)


@pytest.fixture
def nodes(tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    with nodes_of(tmp_path / "origin", storage, monkeypatch, executor={"left": "kubernetes"}) as made:
        yield made


def waits(project: Project, stage: str) -> None:
    """A stage that runs here is in the middle of its work."""
    before = attempts(project).get(stage, 0)
    wait_until(lambda: attempts(project).get(stage, 0) > before)


def test_a_run_whose_driver_was_stopped_or_killed_goes_on_and_one_that_was_being_cancelled_does_not(
    api: Api, nodes: Nodes
) -> None:
    here, project, cluster = nodes.origin.clone("here"), nodes.origin.clone("driven"), nodes.cluster
    assert here.run(*DVC, "repro", "left").returncode == 0

    order(project, "first", "wait")
    pod = Pod(project)
    run = api.start("phys4d/manual", stages=["left"])
    waits(project, "first")
    assert pod.end(signal.SIGTERM) == 0, pod.log.read_text()
    assert project.processes() == []
    assert f'"code":{int(ExitCode.STOPPED)}' in (project.root / ".phys4d/run/first.json").read_text()
    assert api.state(run) == ("SCHEDULED", "its driver was stopped; the next driver goes on with it")

    seen = threading.Event()
    cluster.look = lambda name: seen.set() if cluster.pod(name) else None  # type: ignore[method-assign]
    for number, state in ((signal.SIGTERM, "SCHEDULED"), (signal.SIGKILL, "RUNNING")):
        pod = Pod(project)
        assert seen.wait(120), pod.log.read_text()
        pod.end(number)
        wait_until(lambda: project.processes() == [])
        assert api.state(run)[0] == state
        seen.clear()

    cluster.look = nodes.play  # type: ignore[method-assign]
    pod = Pod(project)
    wait_until(pod.is_well)
    assert api.ended(run)[0] == "COMPLETED"
    assert len(cluster.created) == 1, "the next driver goes on with the Job that is there"
    assert cluster.deleted == []
    assert attempts(project) == {"first": 2}
    assert lock_hashes(project) == lock_hashes(here)
    assert api.states_of_tasks(run) == {"COMPLETED", "CRASHED", "FAILED"}  # none that still runs

    project.set(seed=41)
    order(project, "first", "wait")
    run = api.start("phys4d/manual", stages=["left"])
    waits(project, "first")
    pod.end(signal.SIGKILL)
    api.cancel(run)
    pod = Pod(project)
    assert api.state(run) == ("CANCELLED", "its worker ended before it did; the next run continues its work")
    assert pod.end(signal.SIGTERM) == 0
    assert attempts(project) == {"first": 3}
