"""A stage that is killed in the middle goes on where it was, ends with the same bytes, and leaves no process behind."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.errors import ExitCode
from components.locks import lock_holder
from tests.integration.project import DVC, PHYS4D, Project, make_project, wait_until

STAGE = "simulate@dev"
CHANGES = {
    "resources__processes": 2,
    "simulation__clips_per_shard": 2,  # so that many are left when one is finished
    "simulation__splits__dev__configurations": {"rigid": 12},
    "video__frames": 17,
}
CLIPS = 24


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(caught and int(caught[1], 16) >> (number - 1) & 1)


def stage_process(project: Project) -> int:
    holder = lock_holder(project.root / f".phys4d/run/{STAGE}.lock")
    assert holder is not None
    return holder


def dvc_process(project: Project) -> int:
    status = Path(f"/proc/{stage_process(project)}/status").read_text()
    return int(status.split("PPid:")[1].split()[0])


def kill_stage(project: Project, _: subprocess.Popen[str]) -> None:
    os.kill(stage_process(project), signal.SIGKILL)


def kill_dvc(project: Project, _: subprocess.Popen[str]) -> None:
    os.kill(dvc_process(project), signal.SIGKILL)


def kill_group(_: Project, launcher: subprocess.Popen[str]) -> None:
    os.killpg(launcher.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    project = make_project(tmp_path_factory.mktemp("undisturbed"), {**CHANGES, "resources__processes": 1})
    result = project.stage(STAGE)
    assert result.returncode == 0, result.stderr
    return project.hashes("data/simulation/dev")


def clips_made(result: subprocess.CompletedProcess[str]) -> int:
    found = re.search(r"clips_made_now: (\d+)", result.stderr)
    assert found, result.stderr
    return int(found[1])


def interrupt(project: Project, how: Callable[[Project, subprocess.Popen[str]], None], *command: str) -> int:
    """Start the stage, interrupt it after its first shard; the exit code, when nothing of it runs any more."""
    launcher = project.start(*command)
    wait_until(project.finished_shards)
    how(project, launcher)
    launcher.communicate()
    wait_until(lambda: project.processes() == [], seconds=20)
    return launcher.returncode


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "command"),
    [
        *((how, (*PHYS4D, "stage", STAGE)) for how in (kill_stage, kill_dvc, kill_group)),
        (kill_group, (*DVC, "repro", STAGE)),
    ],
    ids=["stage", "dvc", "group", "group of dvc alone"],
)
def test_a_kill_in_the_middle_of_simulate_loses_nothing(
    tmp_path: Path,
    undisturbed: dict[str, str],
    how: Callable[[Project, subprocess.Popen[str]], None],
    command: tuple[str, ...],
) -> None:
    project = make_project(tmp_path, CHANGES)
    assert interrupt(project, how, *command) != 0
    assert not (project.root / "data/simulation/dev").exists()
    result = project.run(*command) if command[:3] == DVC else project.stage(STAGE)
    assert result.returncode == 0, result.stderr
    assert project.hashes("data/simulation/dev") == undisturbed
    if command[:3] == PHYS4D:
        assert 0 < clips_made(result) < CLIPS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_to_stop_gives_75_and_the_same_command_resumes(
    tmp_path: Path, undisturbed: dict[str, str], number: signal.Signals
) -> None:
    project = make_project(tmp_path, CHANGES)
    code = interrupt(project, lambda _, launcher: launcher.send_signal(number), *PHYS4D, "stage", STAGE)
    assert code == ExitCode.STOPPED
    result = project.stage(STAGE)
    assert result.returncode == 0, result.stderr
    assert 0 < clips_made(result) < CLIPS
    assert project.hashes("data/simulation/dev") == undisturbed
    assert list((project.root / ".phys4d/progress").iterdir()) == []


@pytest.mark.slow
def test_other_parameters_start_afresh(tmp_path: Path) -> None:
    project = make_project(tmp_path, CHANGES)
    interrupt(project, kill_group, *PHYS4D, "stage", STAGE)
    project.set(seed=5)
    result = project.stage(STAGE)
    assert result.returncode == 0, result.stderr
    assert clips_made(result) == CLIPS


@pytest.mark.parametrize(
    "moment",
    [
        "components.simulation.generate.write_index",  # every shard is written
        "components.stages.simulate.move_folder",  # the index is written
        "components.pipeline.execution.shutil.rmtree",  # the results are in their place
    ],
)
def test_a_kill_in_the_last_acts_loses_no_byte(tmp_path: Path, undisturbed: dict[str, str], moment: str) -> None:
    project = make_project(tmp_path, CHANGES)
    script = (
        "import os, signal, unittest.mock, components.stages.simulate\n"
        "from components.pipeline.execution import run_stage\n"
        "if __name__ == '__main__':\n"
        f"    with unittest.mock.patch('{moment}', lambda *_: os.kill(os.getpid(), signal.SIGKILL)):\n"
        "        run_stage('simulate', {'split': 'dev'})\n"
    )
    (project.root / "killed.py").write_text(script)
    assert project.run(sys.executable, "killed.py").returncode == -signal.SIGKILL
    result = project.stage(STAGE)
    assert result.returncode == 0, result.stderr
    assert project.hashes("data/simulation/dev") == undisturbed


@pytest.mark.slow
def test_a_finished_shard_that_was_damaged_since_is_made_again(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    project = make_project(tmp_path, CHANGES)
    interrupt(project, lambda _, launcher: launcher.terminate(), *PHYS4D, "stage", STAGE)
    rows = project.finished_shards()[0]
    (rows.parents[1] / "split" / rows.name.removesuffix(".parquet")).write_bytes(b"")
    result = project.stage(STAGE)
    assert result.returncode == 0, result.stderr
    assert project.hashes("data/simulation/dev") == undisturbed


@pytest.mark.parametrize("delay", [0.0, 0.3, 0.9])
def test_a_request_to_stop_before_the_stage_begins_gives_75_too(tmp_path: Path, delay: float) -> None:
    project = make_project(tmp_path, CHANGES)
    launcher = project.start(*PHYS4D, "stage", STAGE)
    wait_until(lambda: catches(launcher.pid, signal.SIGTERM))  # before that the interpreter itself begins
    with contextlib.suppress(subprocess.TimeoutExpired):
        launcher.wait(timeout=delay)
    launcher.terminate()
    launcher.communicate()
    assert launcher.returncode == ExitCode.STOPPED
    wait_until(lambda: project.processes() == [], seconds=20)


def test_a_stage_that_is_done_stays_done_when_a_signal_comes_too_late(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    script = (
        "import os, signal\n"
        "from components.pipeline.execution import run_stage\n"
        "if __name__ == '__main__':\n"
        "    run_stage('simulate', {'split': 'judge'})\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    (project.root / "late.py").write_text(script)
    result = project.run(sys.executable, "late.py")
    assert result.returncode == 0, result.stderr


def test_stopping_one_launcher_leaves_anothers_stage_alone(tmp_path: Path) -> None:
    project = make_project(tmp_path, CHANGES)
    first = project.start(*PHYS4D, "stage", STAGE)
    wait_until(project.finished_shards)
    second = project.start(*PHYS4D, "stage", STAGE)
    with contextlib.suppress(subprocess.TimeoutExpired):
        second.wait(timeout=1.5)
    second.terminate()
    first.communicate()
    second.communicate()
    assert first.returncode == 0


@pytest.mark.slow
def test_a_second_run_of_the_same_stage_waits_or_names_the_first(tmp_path: Path) -> None:
    project = make_project(tmp_path, CHANGES)
    first = project.start(*PHYS4D, "simulate", "--split", "dev")
    wait_until(lambda: lock_holder(project.root / f".phys4d/run/{STAGE}.lock"))
    os.kill(stage_process(project), signal.SIGSTOP)
    second = project.run(*PHYS4D, "simulate", "--split", "dev")
    os.kill(first.pid, signal.SIGCONT)
    os.killpg(first.pid, signal.SIGTERM)
    first.communicate()
    assert second.returncode == 1
    assert f"{STAGE} is already running as process {first.pid}" in second.stderr
    assert first.returncode == ExitCode.STOPPED
