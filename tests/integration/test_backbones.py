"""Several backbones through the whole graph at once; each a chain of its own."""

import json

import pytest

from tests.integration.project import DVC, Project, make_project
from tests.report.html import read_page

pytestmark = pytest.mark.slow

NAMES = ("cogvideox", "open_sora")  # wan22 is the smoke profile's own


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Project:
    changes = {"pipeline__backbones": list(NAMES), "video__frames": 17}
    project = make_project(tmp_path_factory.mktemp("backbones"), changes)
    result = project.run(*DVC, "repro")
    assert result.returncode == 0, result.stderr
    return project


def stale(project: Project) -> set[str]:
    result = project.run(*DVC, "status", "--json")
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout))


def test_each_is_measured_and_reported_beside_the_others(done: Project) -> None:
    page = read_page((done.root / "data/report/report.html").read_text())
    assert "The backbones beside each other" in page.text
    for name in NAMES:
        metrics = json.loads((done.root / f"data/evaluation/{name}/metrics.json").read_text())
        shown = {number.key for number in page.numbers if number.backbone == name}
        assert {"base.score", "stage3.score"} <= metrics.keys() & shown


def test_no_two_have_the_same_videos(done: Project) -> None:
    scores = [json.loads((done.root / f"data/evaluation/{name}/metrics.json").read_text()) for name in NAMES]
    assert len({found["base.score"] for found in scores}) == len(NAMES)


def test_dvc_finds_nothing_to_do(done: Project) -> None:
    assert stale(done) == set()


def test_editing_one_leaves_the_others_as_they_are(done: Project) -> None:
    path = done.root / "components/backbones/open_sora/stdit3.py"
    content = path.read_text()
    path.write_text(content + "\n")
    try:
        found = stale(done)
    finally:
        path.write_text(content)
    assert "prepare@open_sora" in found
    assert not [stage for stage in found if stage.endswith("@cogvideox")]
