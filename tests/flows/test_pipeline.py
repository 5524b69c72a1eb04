"""The flow on a small graph, with real DVC, Prefect and MLflow: the same results as a shell, and nothing lost."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.errors import ExitCode, ParametersError
from components.parameters.loader import load_params
from components.recorded import recorded_hashes
from components.registry import promotion
from components.registry.aliases import aliases_of
from components.registry.trial import Sample
from components.registry.versions import registry
from components.report.run_record import BEGIN, END, MADE
from flows import pipeline
from flows.promotion import foresee, judge
from tests.flows.toy import FLOW, attempts, make_toy, order
from tests.integration.project import DVC, PHYS4D, Project, make_project, wait_until
from tests.registry.models import NAME, make_metrics, make_model
from tests.tracked import make_database, metric_rows, runs, tags

ALL = {"first": 1, "last": 1, "left": 1, "right": 1}


@pytest.fixture
def toy(tmp_path: Path, prefect: str) -> Project:
    return make_toy(tmp_path)


def flow(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return project.run(*FLOW, *arguments)


@pytest.mark.slow
def test_shell_dvc_and_prefect_give_the_same_hashes(tmp_path: Path, prefect: str) -> None:
    projects = {name: make_toy(tmp_path / name) for name in ("shell", "phys4d", "dvc", "prefect")}
    for name in ("first", "left", "right", "last"):
        assert projects["shell"].run(sys.executable, f"components/stages/{name}.py").returncode == 0
        assert projects["phys4d"].stage("last@wan22" if name == "last" else name).returncode == 0
    assert projects["dvc"].run(*DVC, "repro").returncode == 0
    result = flow(projects["prefect"])
    assert result.returncode == 0, result.stderr
    assert len({str(project.hashes("out")) for project in projects.values()}) == 1
    locks = {
        yaml.safe_dump(yaml.safe_load((projects[name].root / "dvc.lock").read_text())) for name in list(projects)[1:]
    }
    assert len(locks) == 1
    above, stage = runs(projects["prefect"].root)
    assert stage == ("last@wan22", "FINISHED")
    assert above[1] == "FINISHED"  # the run of the whole pipeline, which is named by its time
    assert tags(projects["prefect"].root, stage[0])["pipeline_id"] == above[0]
    assert metric_rows(projects["prefect"].root)[-1] == ("loss", 0, 0.5)


@pytest.mark.slow
def test_a_run_does_what_is_to_be_done_and_the_next_one_nothing(toy: Project) -> None:
    result = flow(toy, "--json")
    assert result.returncode == 0, result.stderr
    assert attempts(toy) == ALL
    again = flow(toy)
    assert again.returncode == 0
    assert "everything is up to date" in again.stderr
    toy.set(stage2__steps=3)
    assert '"stages": ["right", "last@wan22"]' in flow(toy, "--json").stdout
    assert attempts(toy) == {**ALL, "right": 2, "last": 2}
    assert flow(toy, "--stages", "left", "--force").returncode == 0
    assert attempts(toy) == {**ALL, "left": 2, "right": 2, "last": 2}


@pytest.mark.slow
@pytest.mark.parametrize("code", [ExitCode.BAD_PARAMETERS, ExitCode.GATE_REFUSED])
def test_what_another_attempt_cannot_help_is_not_tried_again(toy: Project, code: ExitCode) -> None:
    order(toy, "first", int(code))
    result = flow(toy, "--retries", "3")
    assert result.returncode == code
    assert result.stderr.endswith("phys4d: first: as ordered\n")
    assert attempts(toy) == {"first": 1}


@pytest.mark.slow
def test_a_stopped_stage_is_resumed_and_a_failed_one_tried_within_bounds(toy: Project) -> None:
    order(toy, "first", 75, 75, 1)
    order(toy, "right", 1, 1)
    result = flow(toy, "--retries", "1", "--parallel", "2")
    assert result.returncode == 1
    assert result.stderr.endswith("phys4d: right: as ordered\n")
    assert attempts(toy) == {"first": 4, "left": 1, "right": 2}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_stops_its_stage_and_the_next_resumes(toy: Project, number: signal.Signals) -> None:
    order(toy, "left", "wait")
    running = toy.start(*FLOW)
    wait_until(lambda: "left" in attempts(toy))
    running.send_signal(number)
    _, said = running.communicate()
    assert running.returncode == ExitCode.STOPPED
    assert said.endswith("phys4d: stopped; the same command continues\n")
    assert toy.processes() == []
    assert flow(toy).returncode == 0
    assert attempts(toy) == {**ALL, "left": 2}


def is_recorded(project: Project, stage: str) -> bool:
    """Whether DVC has written down that a stage is done."""
    try:
        return bool(recorded_hashes(project.root, stage, "outs"))
    except ParametersError:  # it is writing just now
        return False


@pytest.mark.slow
def test_a_run_needs_no_server_and_leaves_no_process_when_it_is_killed(tmp_path: Path) -> None:
    toy = make_toy(tmp_path)
    order(toy, "left", "wait")
    running = toy.start(*FLOW, "--parallel", "2")
    wait_until(lambda: "left" in attempts(toy) and is_recorded(toy, "right"))
    assert len(toy.processes()) >= 4  # flow, server, launcher, DVC or the stage
    running.kill()
    running.communicate()
    wait_until(lambda: toy.processes() == [], seconds=20)
    assert flow(toy).returncode == 0
    assert attempts(toy) == {**ALL, "left": 2}
    assert metric_rows(toy.root).count(("loss", 0, 0.5)) == 1


@pytest.fixture
def evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose stages are all done: a model and its figures."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = make_project(tmp_path, {"profile": "laptop"}).root
    stages = {
        "stage3": {"matrix": {"backbone": ["wan22"]}, "cmd": "false", "outs": ["models/${item.backbone}/stage3"]},
        "evaluate": {
            "matrix": {"backbone": ["wan22"]},
            "cmd": "false",
            "deps": ["models/${item.backbone}/stage3"],
            "outs": ["data/evaluation/${item.backbone}"],
        },
        "report": {"cmd": "false", "deps": ["data/evaluation/wan22"], "outs": ["data/report"]},
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    make_database(root)
    make_model(root)
    make_metrics(root)
    (root / MADE).parent.mkdir(parents=True)
    (root / MADE).write_text(f"<html>{BEGIN}{END}</html>")
    monkeypatch.chdir(root)
    monkeypatch.setattr(pipeline, "stale_stages", lambda _: {})
    monkeypatch.setattr(promotion, "draw_sample", lambda *_, **__: Sample(wrong="", motion=2.0))
    monkeypatch.setattr(sys, "argv", ["run"])
    return root


def test_the_last_lines_are_the_verdict_and_the_report(evaluated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        pipeline.main()
        verdict, report = capsys.readouterr().out.splitlines()
        assert verdict.startswith(f"verdict: {NAME} version 1: promoted: score gain")
        assert report == "report: data/report.html"
    page = (evaluated / "data/report.html").read_text()
    assert page.startswith(f"<html>{BEGIN}")
    assert page.endswith(f"{END}</html>")
    assert "not recorded" in page  # no git here
    with registry(evaluated) as client:
        assert aliases_of(client, NAME) == {"champion": "1"}


def test_a_model_that_is_not_promoted_is_a_verdict_not_a_failure(
    evaluated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_metrics(evaluated, chamfer_gain=-0.03)
    pipeline.main()
    assert "version 1: not promoted: " in capsys.readouterr().out
    with registry(evaluated) as client:
        assert aliases_of(client, NAME) == {"challenger": "1"}


def test_a_dry_run_of_the_promotion_holds_the_model_against_the_champion(evaluated: Path) -> None:
    params = load_params(evaluated / "params.yaml")
    assert judge(evaluated, "wan22", params).promoted
    make_model(evaluated, weights="second")  # as good as the champion, and no better
    make_metrics(evaluated)
    foreseen = foresee(evaluated, "wan22", params)
    assert not foreseen.promoted
    assert "not promoted: chamfer gain over the champion" in foreseen.text
    assert foreseen.text.endswith("(dry run: nothing is registered)")
    with registry(evaluated) as client:
        assert aliases_of(client, NAME) == {"champion": "1"}


def test_the_smoke_profile_has_a_verdict_and_registers_nothing(
    evaluated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Project(evaluated).set(profile="smoke")
    pipeline.main()
    assert "(profile smoke: nothing is registered)" in capsys.readouterr().out
    with registry(evaluated) as client:
        assert aliases_of(client, NAME) == {}


def test_a_run_of_some_stages_decides_nothing(evaluated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run", "--stages", "evaluate"])
    pipeline.main()
    with registry(evaluated) as client:
        assert aliases_of(client, NAME) == {}


@pytest.mark.parametrize("arguments", [["--stages", "stage4"], ["--parallel", "0"], ["--fast"]])
def test_a_mistake_in_the_arguments_is_78_and_one_line(
    evaluated: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["run", *arguments])
    with pytest.raises(SystemExit) as caught:
        pipeline.main()
    assert caught.value.code == ExitCode.BAD_PARAMETERS
    said = capsys.readouterr().err
    assert said.startswith("phys4d: ")
    assert said.count("\n") == 1


def test_components_run_without_the_flow() -> None:
    assert PHYS4D[-1] == "components"
    script = "import sys, components.cli, components.pipeline.launcher; assert 'prefect' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
