"""Several backbones through the whole graph, as a run of Prefect's worker has its stages side by side."""

import json
import os
import re
import shutil
from dataclasses import dataclass
from typing import Any

import pytest

from components.pipeline.graph import load_graph
from tests.flows.served import Served, free_port
from tests.integration.project import DVC, SOURCE, Project, finished_smoke
from tests.report.html import read_page
from tests.tracked import make_database

pytestmark = pytest.mark.slow

NAMES = ("cogvideox", "open_sora")  # wan22 is the smoke profile's own
WHOLE = 1500.0  # seconds in which the graph is through, on cores that others use too


@dataclass(frozen=True)
class Run(Project):
    """The project after a run, and what the server knows of that: its state, its tasks, what its artifacts hold."""

    state: tuple[str, str]
    tasks: list[str]
    artifacts: dict[str, Any]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    project = finished_smoke(tmp_path_factory, "backbones")
    for made in ("data", "models", ".phys4d"):
        shutil.rmtree(project.root / made)
    (project.root / "dvc.lock").unlink()  # what no backbone is in comes out of DVC's cache, by a task as all else
    project.set(pipeline__backbones=list(NAMES))
    shutil.copytree(SOURCE / "flows", project.root / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SOURCE / "prefect.yaml", project.root)
    make_database(project.root)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PREFECT_")]:
            patch.delenv(name)
        served = Served(project, free_port())
        try:
            run = served.start("phys4d/manual")
            state = served.ended(run, seconds=WHOLE)
            return Run(project.root, state, served.tasks(run), served.artifacts(run))
        finally:
            served.end()


def test_the_worker_has_run_every_stage_as_a_task(done: Run) -> None:
    assert done.state[0] == "COMPLETED", done.state[1]
    stages = load_graph(done.root)
    assert done.tasks == sorted([*stages, *(f"promote@{name}" for name in NAMES)])
    assert {name: value for name, value in done.artifacts.items() if name.startswith("progress-")} == {
        f"progress-{re.sub('[^a-z0-9]', '-', stage)}": 100.0 for stage in stages
    }
    for name in NAMES:
        assert f"| {name} | " in done.artifacts["summary"]


def stale(project: Project) -> set[str]:
    result = project.run(*DVC, "status", "--json")
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout))


def test_each_is_measured_and_reported_beside_the_others(done: Run) -> None:
    page = read_page((done.root / "data/report/report.html").read_text())
    assert "The backbones beside each other" in page.text
    for name in NAMES:
        metrics = json.loads((done.root / f"data/evaluation/{name}/metrics.json").read_text())
        shown = {number.key for number in page.numbers if number.backbone == name}
        assert {"base.score", "stage3.score"} <= metrics.keys() & shown


def test_no_two_have_the_same_videos(done: Run) -> None:
    scores = [json.loads((done.root / f"data/evaluation/{name}/metrics.json").read_text()) for name in NAMES]
    assert len({found["base.score"] for found in scores}) == len(NAMES)


def test_dvc_finds_nothing_to_do(done: Run) -> None:
    assert stale(done) == set()


def test_editing_one_leaves_the_others_as_they_are(done: Run) -> None:
    path = done.root / "components/backbones/open_sora/stdit3.py"
    content = path.read_text()
    path.write_text(content + "\n")
    try:
        found = stale(done)
    finally:
        path.write_text(content)
    assert "prepare@open_sora" in found
    assert not [stage for stage in found if stage.endswith("@cogvideox")]
