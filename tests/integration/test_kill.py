"""SIGKILL in the middle of any stage: the same command then makes the same bytes."""

import os
import signal
from pathlib import Path

import pytest

from components.locks import lock_holder
from components.pipeline.graph import GraphStage, load_graph, load_templates
from tests.integration.project import PHYS4D, Project, finished_smoke, wait_until

pytestmark = pytest.mark.slow
TEMPLATES = [template.name for template in load_templates(Path())]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return finished_smoke(tmp_path_factory, "kill")


def outputs(project: Project, stage: GraphStage) -> dict[str, bytes | dict[str, str]]:
    return {
        out: project.hashes(out) if (project.root / out).is_dir() else (project.root / out).read_bytes()
        for out in stage.outs
    }


@pytest.mark.parametrize(
    ("template", "begun"), [("stage1", False), *((template, True) for template in TEMPLATES)]
)  # before its work and in it: the first is the launcher's, and the same for all
def test_a_killed_stage_ends_with_the_same_bytes_when_it_is_run_again(
    done: Project, template: str, begun: bool
) -> None:
    stage = next(stage for stage in load_graph(done.root).values() if stage.template == template)
    before = outputs(done, stage)
    launcher = done.start(*PHYS4D, "stage", stage.name, "--force")
    lock = done.root / f".phys4d/run/{stage.name}.lock"
    work = done.root / ".phys4d/progress" / stage.name

    def reached() -> bool:
        return bool(list(work.glob("*/*")) if begun else lock_holder(lock))

    wait_until(lambda: reached() or launcher.poll() is not None)  # a stage that keeps no work is done first
    if (holder := lock_holder(lock)) is not None:
        os.kill(holder, signal.SIGKILL)
    launcher.communicate()
    again = done.run(*PHYS4D, "stage", stage.name, "--force")  # else DVC takes the bytes from its cache
    assert again.returncode == 0, again.stderr
    assert outputs(done, stage) == before
