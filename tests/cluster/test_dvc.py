"""DVC's transfers: the remote of the storage, and the patience of its client."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.cluster.dvc import BROKEN, BROKEN_ATTEMPTS, LOCK_WAIT, dvc, use_remote
from components.errors import Phys4dError
from components.storage.store import Storage

STORAGE = Storage(endpoint="http://10.0.0.5:7480", bucket="data", prefix="team")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    dvc(tmp_path, "init", "--no-scm", "--quiet")
    return tmp_path


def settings(project: Path) -> set[str]:
    return {line for line in dvc(project, "config", "--list").splitlines() if "remote" in line}


def test_data_go_below_the_prefix_of_the_storage(project: Path) -> None:
    use_remote(project, STORAGE)
    named = {"core.remote=phys4d", "remote.phys4d.url=s3://data/team/dvc"}
    assert settings(project) == {*named, "remote.phys4d.endpointurl=http://10.0.0.5:7480"}
    use_remote(project, Storage(endpoint=None, bucket="other"))
    assert settings(project) == {"core.remote=phys4d", "remote.phys4d.url=s3://other/dvc"}
    assert "phys4d" not in (project / ".dvc/config").read_text()  # which git tracks


def test_a_remote_of_the_projects_own_stays(project: Path) -> None:
    dvc(project, "remote", "add", "--default", "own", "s3://own")
    use_remote(project, STORAGE)
    assert settings(project) == {"core.remote=own", "remote.own.url=s3://own"}


def test_a_failure_is_said_in_one_line_with_the_command(project: Path) -> None:
    with pytest.raises(Phys4dError, match=r"^dvc pull nothing: ERROR: .*nothing") as caught:
        dvc(project, "pull", "nothing")
    assert "\n" not in str(caught.value)


def test_the_cause_is_said_with_its_consequence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "WARNING: slow\nERROR: no bucket\nERROR: no bucket\nERROR: failed to push\n1 file\n"
    answer = subprocess.CompletedProcess(["dvc"], 1, "", said)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(Phys4dError, match=r"^dvc push: ERROR: no bucket ERROR: failed to push 1 file$"):
        dvc(project, "push")


def test_the_lock_of_another_is_waited_for(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(255, "ERROR: Unable to acquire lock."), (255, "ERROR: 'x' is busy, it is being blocked by: y"), (0, "")]
    waits: list[float] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        code, err = answers.pop(0)
        return subprocess.CompletedProcess(command, code, "done", err)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(time, "sleep", waits.append)
    assert dvc(project, "pull") == "done"
    assert waits == [LOCK_WAIT] * 2


@pytest.mark.parametrize(("messages", "runs"), [(BROKEN[0], BROKEN_ATTEMPTS), ("no bucket", 1)])
def test_a_broken_transfer_is_made_again_so_often_and_another_failure_is_not(
    project: Path, monkeypatch: pytest.MonkeyPatch, messages: str, runs: int
) -> None:
    made: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        made.append(command)
        return subprocess.CompletedProcess(command, 1, "", f"ERROR: failed to transfer 'x' - {messages}")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(Phys4dError, match=messages):
        dvc(project, "pull")
    assert len(made) == runs


def test_its_client_is_as_patient_as_ours_unless_the_user_says_otherwise(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, str] = {}

    def run(command: list[str], *, env: dict[str, str], **_: object) -> subprocess.CompletedProcess[str]:
        seen.update(env)
        assert command[:3] == [sys.executable, "-m", "dvc"]
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.delenv("AWS_RETRY_MODE", raising=False)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    monkeypatch.setattr(subprocess, "run", run)
    dvc(project, "pull")
    assert (seen["AWS_RETRY_MODE"], seen["AWS_MAX_ATTEMPTS"]) == ("standard", "3")
