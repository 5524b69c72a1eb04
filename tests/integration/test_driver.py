"""The driver of a cluster on a real server of Prefect, on a toy graph: what it leaves, the next one goes on with."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.errors import ExitCode
from flows.server import DEPLOYED, configure, end, launch_server, wait_for_server
from tests.flows.served import SOON, Api, free_port
from tests.flows.toy import attempts, lock_hashes, make_toy, order, run_flow
from tests.integration.project import SOURCE, Project, wait_until

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


def begun(project: Project, api: Api) -> str:
    """A run that is in the middle of its stage `left`."""
    before = attempts(project).get("left", 0)
    order(project, "left", "wait")
    run = api.start("phys4d/manual", stages=["left"])
    wait_until(lambda: attempts(project).get("left", 0) > before)
    return run


def test_a_run_whose_driver_was_killed_or_stopped_goes_on_and_one_that_was_being_cancelled_does_not(
    tmp_path: Path, api: Api
) -> None:
    project = make_toy(tmp_path / "driven")
    shutil.copy(SOURCE / "prefect.yaml", project.root)
    assert run_flow(project, "--stages", "left").returncode == 0
    whole = lock_hashes(project)
    (project.root / "dvc.lock").unlink()
    shutil.rmtree(project.root / "out")
    shutil.rmtree(project.root / ".dvc/cache")
    for path in project.root.glob("*.attempts"):
        path.unlink()

    pod = Pod(project)
    run = begun(project, api)
    pod.end(signal.SIGKILL)
    wait_until(lambda: project.processes() == [])
    assert api.state(run)[0] == "RUNNING"

    order(project, "left", "wait")
    pod = Pod(project)
    wait_until(lambda: attempts(project)["left"] == 2)
    assert pod.end(signal.SIGTERM) == 0, pod.log.read_text()
    assert project.processes() == []
    assert f'"code":{int(ExitCode.STOPPED)}' in (project.root / ".phys4d/run/left.json").read_text()
    assert api.state(run) == ("SCHEDULED", "its driver was stopped; the next driver goes on with it")

    pod = Pod(project)
    wait_until(pod.is_well)
    assert api.ended(run)[0] == "COMPLETED"
    assert attempts(project) == {"first": 1, "left": 3}
    assert lock_hashes(project) == whole

    project.set(stage1__steps=41)
    run = begun(project, api)
    pod.end(signal.SIGKILL)
    api.cancel(run)
    pod = Pod(project)
    assert api.state(run) == ("CANCELLED", "its worker ended before it did; the next run continues its work")
    assert pod.end(signal.SIGTERM) == 0
    assert attempts(project)["left"] == 4
