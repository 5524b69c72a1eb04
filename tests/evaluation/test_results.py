"""metrics.json names what was measured; its numbers are what the stage reports."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from components.evaluation import results
from tests.evaluation.tables import table, videos

if TYPE_CHECKING:
    from components.evaluation.evaluate import Evaluation


def test_progress_by_stage_leaves_out_what_is_not_defined() -> None:
    figures: dict[str, float | str] = {
        "base.chamfer": 0.5,
        "base.chamfer.low": 0.4,
        "base.chamfer.high": 0.6,
        "stage1.chamfer.n": 0,
        "stage3.chamfer": 0.25,  # of one scene: without an interval
    }
    assert results.progress_by_stage(figures, "chamfer") == "stage,low,mean,high\n0,0.4,0.5,0.6\n3,,0.25,\n"


def test_what_is_no_number_is_written_and_not_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "shown_samples", lambda _: {})
    plan = SimpleNamespace(places=[SimpleNamespace(folder=Path("data/simulation/test"))], samples=4)
    evaluation = cast("Evaluation", SimpleNamespace(plan=plan))
    figures: dict[str, float | str] = {"base.score": 32.5, "evaluation.model": "a" * 64}
    found = results.write_results(tmp_path / "results", evaluation, table({"base": videos(2)}), figures)
    assert found == {"base.score": 32.5, "evaluation.clips": 1, "evaluation.noises": 4}
    written = json.loads((tmp_path / "results/metrics.json").read_text())
    assert written == {**found, "evaluation.split": "test", "evaluation.model": "a" * 64}
