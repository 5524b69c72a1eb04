"""Prefect's real server, scheduler and worker, as phys4d serve starts them: deployments of prefect.yaml on a toy graph.

One server for the tests of this module, on one project: each test brings the project into the state it speaks of.
"""

import os
import shutil
import signal
import sys
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.errors import ExitCode
from components.locks import lock_holder
from components.pipeline.execution import lock_path
from components.registry.aliases import aliases_of
from components.registry.versions import registry
from tests.flows.served import Served, free_port
from tests.flows.toy import attempts, lock_hashes, make_toy, order, run_flow
from tests.integration.project import DVC, SOURCE, Project, make_project, wait_until
from tests.registry.models import NAME
from tests.registry.twin import CLIP, make_twin
from tests.tracked import make_database

pytestmark = pytest.mark.slow
STAGES = ["first", "last@wan22", "left", "right"]
OFTEN = {  # beside the deployments of prefect.yaml: one that is due at any moment, when it is switched on
    "name": "often",
    "entrypoint": "flows/run.py:pipeline",
    "work_pool": {"name": "phys4d"},
    "schedules": [{"interval": 5, "active": False}],
    "parameters": {"stages": ["first"]},
}


def make_served(root: Path) -> Project:
    project = make_toy(root)
    file = yaml.safe_load((SOURCE / "prefect.yaml").read_text())
    file["deployments"].append(OFTEN)
    (project.root / "prefect.yaml").write_text(yaml.safe_dump(file))
    return project


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PREFECT_")]:
            patch.delenv(name)
        served = Served(make_served(tmp_path_factory.mktemp("served")), free_port())
        yield served
        served.end()


@pytest.fixture
def served(module_server: Served) -> Iterator[Served]:
    """The server, its project as after a whole run, its stages not counted yet."""
    project = module_server.project
    assert project.run(*DVC, "repro", "--quiet").returncode == 0
    for path in (*project.root.glob("*.attempts"), *project.root.glob("*.orders")):
        path.unlink()
    yield module_server
    for run in module_server.call("flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}):
        module_server.cancel(run["id"])


def waiting(served: Served, stage: str, **parameters: object) -> str:
    """A run whose stage is in the middle of its work, where it waits until it is stopped."""
    before = attempts(served.project).get(stage, 0)
    order(served.project, stage, "wait")
    run = served.start("phys4d/manual", stages=[stage], force=True, **parameters)
    wait_until(lambda: attempts(served.project).get(stage, 0) > before)
    return run


def test_a_run_has_a_task_for_every_stage_its_lines_its_progress_and_a_page(served: Served) -> None:
    run = served.start("phys4d/manual", force=True)
    assert served.ended(run)[0] == "COMPLETED"
    assert served.tasks(run) == STAGES
    assert attempts(served.project) == {"first": 1, "last": 1, "left": 1, "right": 1}
    wait_until(lambda: {f"Running stage '{stage}':" for stage in STAGES} <= set(served.logs(run)), every=0.5)
    found = served.artifacts(run)
    assert {key: value for key, value in found.items() if key.startswith("progress-")} == {
        f"progress-{stage.replace('@', '-')}": 100.0 for stage in STAGES
    }
    assert "| wan22 | not decided | not measured |" in found["summary"]
    assert "md5" in found["dvc-lock"]


def test_a_scheduled_run_fires(served: Served) -> None:
    (served.project.root / "out/first.json").unlink()
    often = served.call("deployments/name/phys4d/often")
    schedule = f"deployments/{often['id']}/schedules/{often['schedules'][0]['id']}"
    served.call(schedule, {"active": True}, method="PATCH")
    try:
        wait_until(lambda: runs_of(served, often["id"], "COMPLETED"), every=0.5)
    finally:
        served.call(schedule, {"active": False}, method="PATCH")
        for late in runs_of(served, often["id"], "SCHEDULED"):  # they would be made up for
            served.call(f"flow_runs/{late['id']}", method="DELETE")
    run = runs_of(served, often["id"], "COMPLETED")[0]
    assert run["auto_scheduled"]
    assert served.tasks(run["id"]) == ["first"]
    wait_until(lambda: served.runs() == [])


def runs_of(served: Served, deployment: str, state: str) -> list[dict[str, Any]]:
    wanted = {"deployments": {"id": {"any_": [deployment]}}, "flow_runs": {"state": {"type": {"any_": [state]}}}}
    return list(served.call("flow_runs/filter", {**wanted, "sort": "EXPECTED_START_TIME_ASC"}))


def test_the_schedules_of_prefect_yaml_are_the_servers(served: Served) -> None:
    for name, cron in (("phys4d/weekly", "0 2 * * 6"), ("phys4d-evaluate/nightly", "0 1 * * *")):
        (schedule,) = served.call(f"deployments/name/{name}")["schedules"]
        assert schedule["active"]
        assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == (cron, "Etc/UTC")


def test_a_cancelled_run_leaves_nothing_running_and_the_next_one_continues(served: Served) -> None:
    served.project.set(stage1__steps=41)  # work that DVC's cache does not know
    run = waiting(served, "left")
    served.cancel(run)
    assert served.ended(run) == ("CANCELLED", "stopped; the same command continues")
    wait_until(lambda: served.runs() == [])
    assert f'"code":{int(ExitCode.STOPPED)}' in (served.project.root / ".phys4d/run/left.json").read_text()
    found = served.artifacts(run)
    assert found["progress-left"] == 0
    assert found["summary"].startswith("**Not finished: stopped; the same command continues**")
    (served.project.root / "left.attempts").unlink()
    assert served.ended(served.start("phys4d/manual"))[0] == "COMPLETED"
    assert attempts(served.project) == {"left": 1, "last": 1}


def test_a_stage_that_is_killed_fails_the_run_and_the_next_one_ends_with_the_same_hashes(served: Served) -> None:
    before = lock_hashes(served.project)
    run = waiting(served, "left", retries=0)
    holder = lock_holder(lock_path(served.project.root, "left"))
    assert holder
    os.kill(holder, signal.SIGKILL)
    assert served.ended(run)[0] == "FAILED"
    assert served.ended(served.start("phys4d/manual", stages=["left"], force=True))[0] == "COMPLETED"
    assert attempts(served.project) == {"left": 2}
    assert lock_hashes(served.project) == before


def test_a_run_that_is_killed_is_reported_and_leaves_nothing_running(served: Served) -> None:
    run = waiting(served, "left")
    (flow,) = [process for process in served.runs() if b"prefect.engine" in command_line(process)]
    os.kill(flow, signal.SIGKILL)
    assert served.ended(run)[0] == "CRASHED"
    wait_until(lambda: served.runs() == [])


def command_line(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()


def test_a_wrong_parameter_fails_the_run_with_its_name_before_anything_starts(served: Served) -> None:
    with pytest.raises(urllib.error.HTTPError, match="409"):
        served.start("phys4d/manual", stages="left")  # the server itself knows the types
    state, message = served.ended(served.start("phys4d/manual", profile="gpu"))
    assert state == "FAILED"
    assert message.startswith("profile: 'gpu' is wrong, expected 'smoke', which params.yaml is of")
    assert attempts(served.project) == {}


def test_a_dry_run_says_what_would_run_and_why(served: Served) -> None:
    served.project.set(stage1__steps=42)
    run = served.start("phys4d/manual", dry_run=True)
    assert served.ended(run)[0] == "COMPLETED"
    plan = served.artifacts(run)["plan"]
    assert "| `left` | changed deps: stage1 modified |" in plan
    assert "| `last@wan22` | if what it reads changes: after left |" in plan
    assert "right" not in plan
    assert served.tasks(run) == []
    assert attempts(served.project) == {}


def test_of_two_runs_at_once_one_waits_and_says_for_whom(served: Served) -> None:
    first = waiting(served, "left")
    second = served.start("phys4d/manual")
    shell = served.project.start(sys.executable, "-m", "flows.pipeline", "--stages", "left", "--force")
    assert shell.stderr
    assert next(iter(shell.stderr.readline, "")).endswith("runs in this project: waiting for it to end\n")
    assert served.state(second)[0] in ("SCHEDULED", "PENDING")
    served.cancel(first)
    shell.communicate()
    assert shell.returncode == 0
    assert served.ended(second)[0] == "COMPLETED"
    assert run_flow(served.project).stderr.startswith("everything is up to date")


def test_serve_that_is_stopped_lets_its_run_save_and_killed_leaves_nothing(tmp_path: Path) -> None:
    project, port = make_served(tmp_path), free_port()
    served = Served(project, port)
    run = waiting(served, "first")
    served.end(signal.SIGKILL)
    wait_until(lambda: project.processes() == [])
    served = Served(project, port)
    assert served.state(run) == ("CRASHED", "phys4d serve ended while it ran; the next run continues its work")
    run = waiting(served, "first")
    assert served.end() == 0
    assert served.said().endswith("stopped\n")
    assert f'"code":{int(ExitCode.STOPPED)}' in (project.root / ".phys4d/run/first.json").read_text()
    assert project.processes() == []


def test_the_evaluation_measures_what_is_there_and_the_promotion_acts_on_it(
    module_server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(tmp_path, {"profile": "laptop", **CLIP})
    monkeypatch.setenv("PREFECT_API_URL", f"{module_server.url}/api")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copytree(SOURCE / "flows", project.root / "flows")
    make_database(project.root)
    make_twin(project.root)
    (project.root / "data/evaluation/wan22").rename(project.root / "made")
    shutil.rmtree(project.root / "data")
    (project.root / "dvc.lock").unlink()
    model, figures = "models/${item.backbone}/stage3", "data/evaluation/${item.backbone}"
    axes = {"matrix": {"backbone": ["wan22"]}}
    stages = {
        "stage3": {**axes, "cmd": "false", "deps": ["teacher"], "outs": [model]},
        "evaluate": {**axes, "cmd": f"mkdir -p {figures}; cp made/* {figures}"},
    }
    stages["evaluate"] |= {"deps": [model], "outs": [figures]}
    (project.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (project.root / "teacher").write_text("one")
    assert project.run(*DVC, "commit", "--force", "stage3@wan22").returncode == 0
    (project.root / "teacher").write_text("another")  # the model is out of date, and its training would fail

    measured = project.run(sys.executable, "-c", "from flows.run import evaluate; print(evaluate().stages)")
    assert measured.stdout == "('evaluate@wan22',)\n", measured.stderr
    promoted = project.run(sys.executable, "-c", "from flows.run import promote; print(promote().verdicts['wan22'])")
    assert promoted.stdout.startswith("Judged(promoted=True"), promoted.stderr
    with registry(project.root) as client:
        assert aliases_of(client, NAME) == {"champion": "1"}
    pages = module_server.call("artifacts/filter", {"artifacts": {"key": {"any_": ["summary"]}}})
    assert any("| wan22 | yes | score, points |" in page["data"] for page in pages)
