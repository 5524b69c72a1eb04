"""A server's API, and phys4d serve in a project."""

import json
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.integration.project import PHYS4D, Project, wait_until

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
BUSY = 503  # another request writes to the database: Prefect's own client asks again too
SOON = {  # the worker looks for runs, and the scheduler for schedules, every two seconds
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_WORKER_PREFETCH_SECONDS": "2",
    "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
}


class Api:
    """A server of Prefect, as its pages speak to it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, path: str, body: object = None, *, method: str | None = None) -> Any:  # noqa: ANN401 -- JSON
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/{path}", data, headers, method=method)  # noqa: S310 -- http
        while True:
            try:
                with urllib.request.urlopen(request) as answer:  # noqa: S310
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as error:
                if error.code != BUSY:
                    raise

    def start(self, deployment: str, **parameters: object) -> str:
        """Ask for a run as the UI does; its id."""
        found = self.call(f"deployments/name/{deployment}")
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.call(f"deployments/{found['id']}/create_flow_run", body)["id"])

    def state(self, run: str) -> tuple[str, str]:
        """The state of a run and its message."""
        state = self.call(f"flow_runs/{run}")["state"]
        return state["type"], state["message"] or ""

    def ended(self, run: str, *, seconds: float = 120.0) -> tuple[str, str]:
        """The state in which a run ends, and its message."""
        wait_until(lambda: self.state(run)[0] in ENDED, seconds=seconds, every=0.5)
        return self.state(run)

    def cancel(self, run: str) -> None:
        """Cancel a run as the UI does."""
        self.call(f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}})

    def tasks(self, run: str) -> list[str]:
        return sorted(task["name"] for task in self._tasks(run))

    def states_of_tasks(self, run: str) -> set[str]:
        return {task["state_type"] for task in self._tasks(run)}

    def _tasks(self, run: str) -> list[dict[str, Any]]:
        return list(self.call("task_runs/filter", {"flow_runs": {"id": {"any_": [run]}}}))

    def logs(self, run: str) -> list[str]:
        found = self.call("logs/filter", {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC"})
        return [entry["message"] for entry in found]

    def artifacts(self, run: str) -> dict[str, Any]:
        """What artifacts of a run hold, by their keys."""
        found = self.call("artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}})
        return {artifact["key"]: artifact["data"] for artifact in found}


class Served(Api):
    """A project with its Prefect server and worker."""

    def __init__(self, project: Project, port: int) -> None:
        self.project = project
        super().__init__(f"http://127.0.0.1:{port}")
        self._log = (project.root / "serve.log").open("wb")
        self.process = subprocess.Popen(
            [*PHYS4D, "serve", "--port", str(port)],
            cwd=project.root,
            env={**project.environment(), **SOON},
            stderr=self._log,
            start_new_session=True,
        )
        wait_until(lambda: self.url in self.said() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said() + (project.root / ".phys4d/run/serve-worker.log").read_text()

    def said(self) -> str:
        return (self.project.root / "serve.log").read_text()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait()
        self._log.close()
        return code

    def runs(self) -> list[int]:
        """Processes of the project beside those that serve it."""
        own = {self.process.pid, *children(self.process.pid)}
        return [process for process in self.project.processes() if process not in own]


def children(process: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
