"""SIGKILL in the middle of any stage: the same command then makes the same bytes."""

import os
import shlex
import signal
from pathlib import Path

import pytest

from components.locks import lock_holder
from components.pipeline.graph import GraphStage, load_graph, load_templates
from tests.integration.project import PHYS4D, Project, finished_smoke, wait_until

TEMPLATES = [template.name for template in load_templates(Path())]
KEEPS = ("depth_net", "prepare", "stage1", "stage3", "evaluate")  # work of each kind: a network, models, measurements


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return finished_smoke(tmp_path_factory, "kill")


def outputs(project: Project, stage: GraphStage) -> dict[str, bytes | dict[str, str]]:
    return {
        out: project.hashes(out) if (project.root / out).is_dir() else (project.root / out).read_bytes()
        for out in stage.outs
    }


@pytest.mark.parametrize(
    "template",
    [pytest.param(name, marks=pytest.mark.slow if name in KEEPS else pytest.mark.long) for name in TEMPLATES],
)
def test_a_killed_stage_ends_with_the_same_bytes_when_it_is_run_again(done: Project, template: str) -> None:
    stage = next(stage for stage in load_graph(done.root).values() if stage.template == template)
    before = outputs(done, stage)
    command = (*PHYS4D, *shlex.split(stage.command)[2:])  # without DVC, which would take the bytes from its cache
    process = done.start(*command)
    work = done.root / ".phys4d/progress" / stage.name
    wait_until(lambda: list(work.glob("*/*")) or process.poll() is not None)
    process.kill()
    if process.wait() != 0:  # a stage that keeps no work is done before it is killed
        again = done.run(*command)
        assert again.returncode == 0, again.stderr
    assert outputs(done, stage) == before


@pytest.mark.slow
def test_a_stage_that_is_killed_before_its_work_is_run_again_by_its_launcher(done: Project) -> None:
    stage = load_graph(done.root)["stage1@wan22"]
    before = outputs(done, stage)
    launcher = done.start(*PHYS4D, "stage", stage.name, "--force")
    lock = done.root / f".phys4d/run/{stage.name}.lock"
    wait_until(lambda: lock_holder(lock))
    os.kill(lock_holder(lock) or 0, signal.SIGKILL)
    launcher.communicate()
    assert launcher.returncode == 1
    again = done.run(*PHYS4D, "stage", stage.name, "--force")
    assert again.returncode == 0, again.stderr
    assert outputs(done, stage) == before
