"""The page of a run: the verdicts, figures with intervals as metrics.json has them, and where the report is."""

import json
from pathlib import Path

import pytest

from components.tracked_run import PIPELINE
from flows.promotion import Judged
from flows.summary import Outcome, broken_off, plan_text, summary

OUTCOME = Outcome(
    stages=("stage3@wan22",), verdicts={"wan22": Judged(promoted=True, text="promoted: +3")}, report="data/report.html"
)


def measured(root: Path) -> None:
    figures = {"base.score": 30.25, "base.score.low": 29.0, "base.score.high": 31.5, "stage3.score": 50, "stage3.x": 1}
    (root / "data/evaluation/wan22").mkdir(parents=True)
    (root / "data/evaluation/wan22/metrics.json").write_text(json.dumps(figures))


def test_a_row_has_the_verdict_and_the_figures_with_their_intervals(tmp_path: Path) -> None:
    measured(tmp_path)
    page = summary(tmp_path, OUTCOME, ["wan22", "cogvideox"])
    assert "| wan22 | yes | score, points | 30.2 (29 to 31.5) | – | 50 |" in page
    assert "| cogvideox | not decided | not measured | | | |" in page
    assert "- promoted: +3" in page
    assert "Brought up to date: `stage3@wan22`" in page


def test_every_row_of_the_table_has_as_many_cells(tmp_path: Path) -> None:
    measured(tmp_path)
    rows = [line for line in summary(tmp_path, OUTCOME, ["wan22", "cogvideox"]).splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 3 + 1
    assert {row.count("|") for row in rows} == {7}


def test_the_report_is_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = f"[data/report.html]({(tmp_path / 'data/report.html').as_uri()})"
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    page = summary(tmp_path, OUTCOME, [])
    assert link in page
    assert "MLflow" not in page
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@mlflow.example:5000/base")
    monkeypatch.setenv(PIPELINE, "20260101-000000-abcdef")
    page = summary(tmp_path, OUTCOME, [])
    assert link in page
    assert "run `20260101-000000-abcdef` in [MLflow](https://mlflow.example:5000/base)" in page


def test_a_plan_names_stages_and_reasons() -> None:
    assert "| `stage1@wan22` | changed command |" in plan_text({"stage1@wan22": "changed command"}, {})
    assert plan_text({}, {}).startswith("Everything is up to date")


def test_a_run_that_failed_says_why_and_what_it_had_done() -> None:
    page = broken_off(["simulate@dev", "encode@wan22"], "stage1@wan22: loss is nan")
    assert page.startswith("**Not finished: stage1@wan22: loss is nan**\n")
    assert "`simulate@dev`, `encode@wan22`" in page
    assert "Brought up to date before: nothing." in broken_off([], "no")
