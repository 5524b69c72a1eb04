"""The stage writes one page about every backbone that was evaluated."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from components.errors import Phys4dError, StoppedError
from components.evaluation.ledger import note_look
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.params import Params
from components.pipeline.execution import StageContext
from components.progress import Progress
from components.stages.report import run
from tests.report.html import read_page
from tests.report.project import SCENES, make_metrics, make_run, make_samples

PAGE = Path("data/report/report.html")


@pytest.fixture
def params() -> Params:
    return parse_params(profile_values("laptop"), source="laptop")


def context(*, stopped: bool = False) -> StageContext:
    """What of a context the stage uses."""
    parts = SimpleNamespace(stopped=lambda: stopped, progress=lambda total: Progress("report", total, unit="backbones"))
    return cast("StageContext", parts)


def test_the_page_is_written_and_its_figures_are_reported(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path, metrics=make_metrics(), samples=make_samples())
    monkeypatch.chdir(tmp_path)
    for models in ("a", "b"):
        note_look(tmp_path, scenes=SCENES, split="test", models={"stage3": models})
    figures = run(params, context())
    page = PAGE.read_text(encoding="utf-8")
    assert figures == {"wan22.promoted": 1.0, "bytes": len(page.encode())}
    assert "2 sets of models were measured on it" in read_page(page).text
    assert [path.name for path in PAGE.parent.iterdir()] == ["report.html"]


def test_without_any_evaluation_there_is_no_page(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        Phys4dError, match=r"no metrics\.json of wan22, .*, expected at least one: run phys4d stage evaluate@"
    ):
        run(params, context())


def test_a_stop_leaves_no_page(params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path, metrics=make_metrics(), samples=make_samples())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoppedError):
        run(params, context(stopped=True))
    assert not PAGE.exists()


def test_a_model_that_is_no_manifest_is_named(params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path, metrics=make_metrics(), samples=make_samples())
    (tmp_path / "models/wan22/stage2/model.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Phys4dError, match=r"stage2/model\.json: not a model's manifest"):
        run(params, context())
