"""Bad input, a full disk and missing data: the right exit code, one line that says what to do, nothing half done."""

import json
import resource
from pathlib import Path

import pytest

from components.errors import ExitCode
from tests.integration.project import DVC, PHYS4D, Project, make_project, wait_until


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("simulated"))
    result = project.stage("simulate@dev")
    assert result.returncode == 0, result.stderr
    return project


def only_line(stderr: str) -> str:
    """The one line phys4d itself says in the end."""
    lines = [line for line in stderr.splitlines() if line.startswith("phys4d: ")]
    assert stderr.splitlines()[-1] == lines[-1]
    assert "Traceback" not in stderr
    return lines[-1]


def test_bad_parameters_give_78_before_anything_runs(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"video__frames": 18})
    result = project.stage("simulate@dev")
    assert result.returncode == ExitCode.BAD_PARAMETERS
    assert "video.frames: 18 does not fit" in only_line(result.stderr)
    assert not (project.root / "data").exists()


def test_dvc_repro_alone_gives_255_and_names_the_code(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"video__frames": 18})
    result = project.run(*DVC, "repro", "simulate@dev")
    assert result.returncode == 255
    assert "exited with 78" in result.stderr.splitlines()[-1]


def test_a_missing_input_names_the_stage_that_makes_it(tmp_path: Path) -> None:
    result = make_project(tmp_path).stage("validate_simulation@dev")
    assert result.returncode == ExitCode.FAILED
    assert "validate_simulation@dev reads data/simulation/dev, which is not there" in only_line(result.stderr)
    assert "phys4d stage simulate@dev" in result.stderr


def test_an_input_that_dvc_lock_knows_and_nobody_has_is_named(simulated: Project, tmp_path: Path) -> None:
    project = make_project(tmp_path)
    (project.root / "dvc.lock").write_bytes((simulated.root / "dvc.lock").read_bytes())
    result = project.stage("validate_simulation@dev")
    assert result.returncode == ExitCode.FAILED
    assert "dvc pull" in only_line(result.stderr)


def test_an_unknown_stage_names_the_nearest(tmp_path: Path) -> None:
    result = make_project(tmp_path).stage("simulat@dev")
    assert result.returncode == ExitCode.BAD_PARAMETERS
    assert "did you mean simulate@dev?" in only_line(result.stderr)


def test_a_gate_that_refuses_gives_65_and_names_the_rows(simulated: Project) -> None:
    simulated.set(quality__max_speed=0.001)
    result = simulated.stage("validate_simulation@dev")
    simulated.set(quality__max_speed=40.0)
    assert result.returncode == ExitCode.GATE_REFUSED
    assert "max_speed" in only_line(result.stderr)
    assert "dev-rigid-000000-v0-t0" in only_line(result.stderr)
    assert not (simulated.root / "data/quality/simulation-dev.json").exists()
    report = json.loads((simulated.root / ".phys4d/quality/simulation-dev.json").read_text())
    assert not report["passed"]


def test_a_flipped_byte_is_refused_by_the_gate_with_its_clip(simulated: Project) -> None:
    shard = simulated.root / "data/simulation/dev/shard-00000.tar"
    content = shard.read_bytes()
    damaged = bytearray(content)
    damaged[len(content) // 2] ^= 0x10
    shard.unlink()  # it may be a link into DVC's cache
    shard.write_bytes(damaged)
    result = simulated.stage("validate_simulation@dev")
    shard.write_bytes(content)
    assert result.returncode == ExitCode.GATE_REFUSED
    assert "shard-00000.tar matches its checksum: dev-rigid-00000" in only_line(result.stderr)


def test_a_full_disk_is_said_and_what_was_finished_is_kept(tmp_path: Path) -> None:
    changes = {"simulation__splits__dev__configurations": {"rigid": 24}, "resources__processes": 1}
    project = make_project(tmp_path, changes)
    command = (*PHYS4D, "simulate", "--split", "dev", "--json")
    full = project.start(*command)
    wait_until(project.finished_shards)
    resource.prlimit(full.pid, resource.RLIMIT_FSIZE, (5_000, 5_000))  # bytes a file may have from now on
    _, messages = full.communicate()
    assert full.returncode == ExitCode.FAILED
    assert "cannot write" in only_line(messages)
    assert "free some room and run the same command again" in messages
    assert not (project.root / "data/simulation/dev").exists()
    result = project.run(*command)
    assert result.returncode == 0, result.stderr
    assert 0 < json.loads(result.stdout)["clips_made_now"] < 48


def test_a_result_that_dvc_cannot_record_is_kept_by_the_remedy_it_names(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    cache = project.root / ".dvc/cache"
    cache.write_text("in the way of DVC's cache")
    result = project.stage("simulate@judge")
    assert result.returncode == ExitCode.FAILED
    assert "its command is done, but DVC could not record it" in only_line(result.stderr)
    assert "dvc commit --force simulate@judge" in result.stderr
    cache.unlink()
    assert project.run(*DVC, "commit", "--force", "simulate@judge").returncode == 0
    result = project.stage("simulate@judge")
    assert result.returncode == 0, result.stderr
    assert "clips_made_now" not in result.stderr


def test_a_lock_file_cut_short_comes_back(simulated: Project) -> None:
    lockfile = simulated.root / "dvc.lock"
    assert simulated.stage("simulate@dev").returncode == 0
    content = lockfile.read_bytes()
    lockfile.write_bytes(content[: len(content) // 2])
    result = simulated.stage("simulate@dev")
    assert result.returncode == 0, result.stderr
    assert lockfile.read_bytes() == content


def test_a_lock_file_cut_short_without_a_copy_is_named(simulated: Project, tmp_path: Path) -> None:
    project = make_project(tmp_path)
    content = (simulated.root / "dvc.lock").read_bytes()
    (project.root / "dvc.lock").write_bytes(content[: len(content) // 2])
    result = project.stage("simulate@dev")
    assert result.returncode == ExitCode.BAD_PARAMETERS
    assert "dvc.lock is damaged" in only_line(result.stderr)


def test_a_traceback_is_shown_only_on_request(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"video__frames": 18})
    assert "Traceback" not in project.run(*PHYS4D, "stage", "simulate@dev").stderr
    assert "Traceback" in project.run(*PHYS4D, "--debug", "stage", "simulate@dev").stderr
