"""What is logged reaches MLflow once, whatever happens to MLflow meanwhile; and never hurts the stage."""

import math
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from components import tracked_run, tracking
from components.errors import StoppedError
from components.tracked_run import PIPELINE, TrackedRun, pipeline_run, stage_run
from components.tracking import UnreachableError, sync
from components.tracking_buffer import FOLDER, RunDescription, begin, buffers, open_buffer
from tests.tracked import make_database, metric_rows, params, runs, tags

CURVE = [("loss", step, 1.0 / (step + 1)) for step in range(6)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tracking") / "project"


@pytest.fixture
def root(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same place for every test, emptied: MLflow takes long to open a database at a new one."""
    monkeypatch.setattr(tracked_run, "INTERVAL", 0.05)
    monkeypatch.setattr(tracking, "LOCKED", 0.05)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv(PIPELINE, raising=False)
    shutil.rmtree(place, ignore_errors=True)
    make_database(place)
    return place


@contextmanager
def stage(root: Path, *, key: str = "a" * 64, name: str = "stage1@wan22") -> Iterator[TrackedRun]:
    work = root / ".phys4d/progress" / name / key
    work.mkdir(parents=True, exist_ok=True)
    values = {"seed": 0, "stage1": {"steps": 6, "weights": [1, 2]}}
    made = {"data/simulation/train": "0a.dir", "models/wan22/base": "0b.dir"}
    with stage_run(root, name=name, profile="laptop", params=values, key=key, work=work, reads=lambda: made) as run:
        yield run


def log(run: TrackedRun, first: int = 0, last: int = 6) -> None:
    for name, step, value in CURVE[first:last]:
        run.log({name: value}, step)


def wait_for_delivery(root: Path, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(metric_rows(root)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    with closing(sqlite3.connect(root / tracking.DATABASE)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.rollback()


def refused_address() -> str:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://somebody:secret@127.0.0.1:{listener.getsockname()[1]}"


def test_a_run_has_its_curve_parameters_lineage_and_the_systems_state(root: Path) -> None:
    (root / "dvc.lock").write_text("schema: '2.0'\n")
    with stage(root) as run:
        log(run)
        run.finish({"loss_at_end": 0.25})
    assert runs(root) == [("stage1@wan22", "FINISHED")]
    assert metric_rows(root) == sorted([*CURVE, ("loss_at_end", 5, 0.25)])
    assert params(root) == {"seed": "0", "stage1.steps": "6", "stage1.weights": "[1, 2]"}
    found = tags(root, "stage1@wan22")
    assert found["work_key"] == "a" * 64
    assert len(found["dvc_lock_sha256"]) == 64
    assert (found["input/data/simulation/train"], found["input/models/wan22/base"]) == ("0a.dir", "0b.dir")
    with closing(sqlite3.connect(root / tracking.DATABASE)) as connection:
        experiments = connection.execute(
            "select distinct e.name from experiments e join runs using (experiment_id)"
        ).fetchall()
        system = {key for (key,) in connection.execute("select key from metrics where key like 'system/%'")}
    assert experiments == [("phys4d/laptop",)]
    assert {"system/cpu_utilization_percentage", "system/peak_memory_megabytes"} <= system
    assert buffers(root) == []


def test_a_stage_that_logs_nothing_writes_nothing_and_does_not_import_mlflow(root: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from components.tracked_run import stage_run\n"
        f"root = Path({str(root)!r})\n"
        "with stage_run(root, name='a', profile='smoke', params={}, key='k', work=root / 'w'): pass\n"
        "assert 'mlflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert not (root / FOLDER).exists()


@pytest.mark.parametrize("moment", ["middle", "beginning"])
def test_a_locked_database_costs_one_warning_and_nothing_is_lost(
    root: Path, capsys: pytest.CaptureFixture[str], moment: str
) -> None:
    with stage(root) as run:
        if moment == "middle":
            log(run, 0, 3)
            wait_for_delivery(root, 3)
        with locked(root):
            began = time.monotonic()
            log(run, 3 if moment == "middle" else 0)
            assert time.monotonic() - began < 0.5
            run.end("FINISHED")
    assert capsys.readouterr().err.count("warning:") == 1
    assert len(buffers(root)) == 1
    sync(root)
    assert metric_rows(root) == sorted(CURVE)
    assert runs(root) == [("stage1@wan22", "FINISHED")]
    assert buffers(root) == []


def test_a_lock_that_goes_away_is_no_loss_either(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with stage(root) as run:
        with locked(root):
            log(run, 0, 3)
            while "warning:" not in capsys.readouterr().err:
                time.sleep(0.02)
        log(run, 3)
    assert metric_rows(root) == sorted(CURVE)
    assert buffers(root) == []


@pytest.mark.parametrize("again", ["gone", "empty", "made by another process"])
def test_a_database_that_is_deleted_in_the_middle_holds_the_whole_run_afterwards(root: Path, again: str) -> None:
    with stage(root) as run:
        log(run, 0, 3)
        wait_for_delivery(root, 3)
        (root / tracking.DATABASE).unlink()
        if again == "empty":
            (root / tracking.DATABASE).touch()
        elif again == "made by another process":
            make_database(root)
        log(run, 3)
    sync(root)
    assert metric_rows(root) == sorted(CURVE)
    assert runs(root) == [("stage1@wan22", "FINISHED")]
    assert params(root)["stage1.steps"] == "6"


def test_a_server_that_refuses_costs_one_warning_and_nothing_is_lost(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", refused_address())
    with stage(root) as run:
        log(run)
    warning = capsys.readouterr().err
    assert warning.count("\n") == 1
    assert "secret" not in warning
    assert "phys4d tracking sync" in warning
    with pytest.raises(UnreachableError):
        sync(root)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    sync(root)
    assert metric_rows(root) == sorted(CURVE)


def test_the_next_run_delivers_what_an_earlier_one_could_not(root: Path) -> None:
    with locked(root), stage(root) as run:
        log(run)
    with stage(root, key="b" * 64, name="stage2@wan22") as run:
        run.log({"other": 1.0}, 0)
    assert metric_rows(root) == sorted([*CURVE, ("other", 0, 1.0)])
    assert [name for name, _ in runs(root)] == ["stage1@wan22", "stage2@wan22"]


def test_delivering_again_doubles_nothing(root: Path) -> None:
    with pytest.raises(StoppedError), stage(root) as run:
        log(run)
        run.log({"nothing": math.nan, "much": math.inf}, 0)
        raise StoppedError("stopped")  # the work goes on later, so its file stays
    before = metric_rows(root)
    assert len(before) == len(CURVE) + 2
    for forgotten in (root / FOLDER).glob("*.delivered"):
        forgotten.unlink()  # as if the process had been killed before it could note its delivery
    sync(root)
    assert metric_rows(root) == before
    assert runs(root) == [("stage1@wan22", "KILLED")]


def test_resumed_work_goes_on_in_its_run_and_repeats_no_step(root: Path) -> None:
    with pytest.raises(StoppedError), stage(root) as run:
        log(run, 0, 4)
        raise StoppedError("stopped")
    with stage(root) as run:
        log(run, 2)  # from the last checkpoint
    assert metric_rows(root) == sorted(CURVE)
    assert runs(root) == [("stage1@wan22", "FINISHED")]
    assert buffers(root) == []


def test_the_same_work_done_again_is_another_run(root: Path) -> None:
    for _ in range(2):
        with stage(root) as run:
            log(run)
    assert runs(root) == [("stage1@wan22", "FINISHED")] * 2


def test_a_failed_stage_is_a_failed_run(root: Path) -> None:
    with pytest.raises(ZeroDivisionError), stage(root) as run:
        log(run)
        raise ZeroDivisionError
    assert runs(root) == [("stage1@wan22", "FAILED")]


def test_a_killed_process_loses_no_figure(root: Path) -> None:
    script = (
        "import os, signal; from pathlib import Path; from components.tracked_run import stage_run\n"
        f"root = Path({str(root)!r})\n"
        "with stage_run(root, name='stage1@wan22', profile='laptop', params={}, key='k', work=root / 'w') as run:\n"
        "    for step in range(6): run.log({'loss': 1.0 / (step + 1)}, step)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    with buffers(root)[0].open("ab") as file:
        file.write(b'{"metrics": {"lo')  # the line it was writing
    sync(root)
    assert metric_rows(root) == sorted(CURVE)
    assert runs(root) == [("stage1@wan22", "KILLED")]


def test_stages_of_a_pipeline_stand_below_one_parent(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PIPELINE, "run 'one'")
    with pipeline_run(root, profile="laptop", pipeline="run__one_") as pipeline:
        for name in ("stage1@wan22", "stage2@wan22"):
            with stage(root, name=name) as run:
                log(run)
        pipeline.tag(verdict="promoted")
    assert runs(root) == [("run__one_", "FINISHED"), ("stage1@wan22", "FINISHED"), ("stage2@wan22", "FINISHED")]
    parents = {tags(root, name)["mlflow.parentRunId"] for name in ("stage1@wan22", "stage2@wan22")}
    assert len(parents) == 1
    assert tags(root, "stage1@wan22")["pipeline_id"] == tags(root, "run__one_")["pipeline_id"] == "run__one_"
    assert tags(root, "run__one_")["verdict"] == "promoted"


def test_a_report_is_an_artifact_of_its_pipeline(root: Path) -> None:
    report = root / "data/report/report.html"
    report.parent.mkdir(parents=True)
    with pipeline_run(root, profile="laptop", pipeline="one") as pipeline:
        report.write_text("as it was")
        pipeline.attach("data/report/report.html")
        pipeline.attach("data/report/none.html")
    (kept,) = (root / tracking.ARTIFACTS).rglob("report.html")
    assert kept.read_text() == "as it was"
    assert buffers(root) == []


def test_secrets_are_not_recorded(root: Path) -> None:
    values = {
        "storage": {"secret_access_key": "hush", "api_token": "hush", "url": "https://me:hush@example.org/a"},
        "tokenizer": "kept",
    }
    assert "hush" not in str(dict(tracked_run.flatten(values)))
    assert dict(tracked_run.flatten(values))["storage.url"] == "https://***@example.org/a"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:hush@example.org/a", "https://***@example.org/a"),
        ("mysql://me:hu@sh@db/runs", "mysql://***@db/runs"),
        ("mysql://me:hu/sh@db/runs", "mysql://***@db/runs"),
        ("http://me:hush@one/a and http://me:hush@two/b", "http://***@one/a and http://***@two/b"),
        ("postgresql://db/runs?user=m&password=hush", "postgresql://db/runs?user=m&password=***"),
        ("postgresql://db/runs?passwd=hu@sh&user=m", "postgresql://db/runs?passwd=***&user=m"),
        ("https://db/a?X-Token=hush&apiKey=hush", "https://db/a?X-Token=***&apiKey=***"),
        ("https://me:hush@db/a?client_secret=hush", "https://***@db/a?client_secret=***"),
        ("https://db/a?Credential=hush", "https://db/a?Credential=***"),
        ("sqlite:////home/me/.phys4d/mlflow.db", "sqlite:////home/me/.phys4d/mlflow.db"),
        ("stage1@wan22: step?next=2", "stage1@wan22: step?next=2"),
    ],
)
def test_an_address_shows_no_secret(text: str, shown: str) -> None:
    assert tracking.without_password(text) == shown


def test_odd_names_do_not_block_the_rest(root: Path) -> None:
    with stage(root) as run:
        run.log({"loss@step=1": 1.0, "../up": 2.0, "a//b": 3.0, "score.low": 4.0}, 0)
    assert {value for _, _, value in metric_rows(root)} == {1.0, 2.0, 3.0, 4.0}
    assert ("score.low", 0, 4.0) in metric_rows(root)


def test_what_is_no_number_is_named_and_loses_nothing_else(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with stage(root) as run:
        run.log({"split": "dev", "loss": 1.0}, 0)  # type: ignore[dict-item]
    assert metric_rows(root) == [("loss", 0, 1.0)]
    assert "split is 'dev'" in capsys.readouterr().err


def test_more_figures_than_one_request_takes(root: Path) -> None:
    with stage(root) as run:
        run.finish({f"figure{index}": float(index) for index in range(2 * tracking.METRICS + 1)})
    assert len(metric_rows(root)) == 2 * tracking.METRICS + 1


def test_a_full_disk_stops_no_stage(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, room = os.write, [10]

    def full(descriptor: int, data: bytes) -> int:
        if room[0] == 0:
            raise OSError(28, "No space left on device")
        taken = write(descriptor, data[: room[0]])
        room[0] -= taken
        return taken

    with stage(root) as run:
        run.log({"first": 1.0}, 0)
        monkeypatch.setattr(os, "write", full)
        log(run)  # ten bytes of the first line are written
        monkeypatch.setattr(os, "write", write)
        run.log({"last": 2.0}, 5)
    assert metric_rows(root) == sorted([("first", 0, 1.0), *CURVE, ("last", 5, 2.0)])


@pytest.mark.parametrize("broken", ["sampler", "Store"])
def test_a_broken_mlflow_costs_one_warning_and_no_figure(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("as ordered")

    with monkeypatch.context() as patch:
        patch.setattr(tracking, broken, fail)
        with stage(root) as run:
            log(run, 0, 1)
            while "as ordered" not in capsys.readouterr().err:
                time.sleep(0.02)
            log(run, 1)
            with buffers(root)[0].open() as file:
                assert sum('"metrics": {"loss"' in line for line in file) == len(CURVE)
    assert capsys.readouterr().err == ""
    sync(root)
    assert metric_rows(root) == sorted(CURVE)
    assert runs(root) == [("stage1@wan22", "FINISHED")]


def test_a_closed_file_takes_no_line_and_neither_does_another(tmp_path: Path) -> None:
    description = RunDescription(
        kind="stage", experiment="phys4d/laptop", name="a", pipeline="", params={}, tags={}, work=""
    )
    buffer = begin(tmp_path, description, key="k")
    buffer.close()
    other = (tmp_path / "other").open("w")  # it takes the number that became free
    with other, pytest.raises(OSError, match="Bad file descriptor"):
        buffer.append(status="FINISHED")
    assert (tmp_path / "other").read_text() == ""


def test_a_file_that_cannot_be_read_is_put_aside_with_the_others_delivered(root: Path) -> None:
    with locked(root), stage(root) as run:
        log(run)
    (root / FOLDER / "broken-1-2.jsonl").write_bytes(b"\x00" * 40)
    assert sync(root).delivered == 1
    assert metric_rows(root) == sorted(CURVE)
    assert [path.name for path in (root / FOLDER).iterdir()] == ["broken-1-2.damaged"]


def test_a_living_writers_file_is_left_to_it(root: Path) -> None:
    with stage(root) as run:
        log(run)
        assert open_buffer(buffers(root)[0]) is None
        assert sync(root).running == 1
