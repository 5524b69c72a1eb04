"""A training that is stopped goes on where it was and ends with the same bytes, in any way it is run."""

import json
import signal
from collections.abc import Iterator

import pytest

from tests.integration.project import DVC, PHYS4D, Project, finished_smoke, wait_until

pytestmark = pytest.mark.slow
STAGE = "prepare@wan22"
OUT = "models/wan22/base"
STEPS = 400  # some seconds


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The smoke project with everything that the base is trained from, and the base."""
    made = finished_smoke(tmp_path_factory, "training")
    made.set(prepare__steps=STEPS)
    result = made.run(*DVC, "repro", STAGE)
    assert result.returncode == 0, result.stderr
    yield made
    assert made.processes() == []


def is_at_work(project: Project) -> bool:
    return any((project.root / ".phys4d/progress" / STAGE).glob("*"))


def test_a_forced_repro_trains_again_to_the_same_bytes(project: Project) -> None:
    before = project.hashes(OUT)
    result = project.run(*DVC, "repro", "--force", "--single-item", STAGE)
    assert result.returncode == 0, result.stderr
    assert f"0/{STEPS} steps" in result.stderr + result.stdout
    assert project.hashes(OUT) == before


def test_the_shell_trains_to_the_bytes_of_dvc(project: Project) -> None:
    before = project.hashes(OUT)
    assert project.run(*PHYS4D, "prepare", "--backbone", "wan22").returncode == 0
    assert project.hashes(OUT) == before


def test_term_saves_and_the_same_command_goes_on_to_the_same_bytes(project: Project) -> None:
    before = project.hashes(OUT)
    launcher = project.start(*PHYS4D, "stage", STAGE, "--force")
    wait_until(lambda: is_at_work(project))
    launcher.send_signal(signal.SIGTERM)
    _, err = launcher.communicate()
    assert launcher.returncode == 75, err
    record = json.loads((project.root / f".phys4d/run/{STAGE}.json").read_text())
    assert record["code"] == 75
    assert list((project.root / ".phys4d/progress" / STAGE).glob("*/checkpoint.safetensors"))
    result = project.run(*PHYS4D, "stage", STAGE, "--force")
    assert result.returncode == 0, result.stderr
    assert project.hashes(OUT) == before
