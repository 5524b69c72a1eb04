"""Why a stage is out of date, in DVC's own words."""

import json
import subprocess
from pathlib import Path

import pytest

from components.errors import Phys4dError
from components.pipeline.stale import stale_stages


def dvc_says(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, str, str]) -> None:
    left = iter(answers)
    monkeypatch.setattr("components.pipeline.stale.time.sleep", lambda _: None)
    monkeypatch.setattr(
        "components.pipeline.stale.subprocess.run",
        lambda command, **_: subprocess.CompletedProcess(command, *next(left)),
    )


def test_every_reason_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    status = {
        "stage1@wan22": [
            {"changed deps": {"data/labels": "modified", "params.yaml": {"stage1.steps": "modified", "seed": "new"}}},
            {"changed outs": {"models/wan22/stage1": "deleted"}},
        ],
        "report": ["changed command"],
    }
    dvc_says(monkeypatch, (0, json.dumps(status), ""))
    assert stale_stages(Path()) == {
        "stage1@wan22": "changed deps: data/labels modified, stage1.steps modified, seed new; "
        "changed outs: models/wan22/stage1 deleted",
        "report": "changed command",
    }


def test_a_busy_dvc_is_asked_again_and_another_error_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    dvc_says(monkeypatch, (1, "", "Unable to acquire lock"), (0, "{}", ""))
    assert stale_stages(Path()) == {}
    dvc_says(monkeypatch, (255, "", "ERROR: no\n space"))
    with pytest.raises(Phys4dError, match="dvc status: ERROR: no space"):
        stale_stages(Path())
