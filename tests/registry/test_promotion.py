"""Only what passes the gate becomes champion, and a person can take it back."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from components.errors import Phys4dError
from components.manifest import manifest_hash
from components.registry.aliases import aliases_of
from components.registry.promotion import Decision, promote, rollback
from components.registry.versions import registry
from components.tracking import DATABASE
from tests.registry.models import NAME, PARAMS, make_metrics, make_model, record
from tests.tracked import metric_rows


@pytest.fixture
def root(project: Path) -> Path:
    return project


CHAMFER = {"first": 0.5, "second": 0.4}


def decide(root: Path, weights: str, *, good: bool = True, again: bool = False) -> Decision:
    make_model(root, weights=weights)
    make_metrics(root, chamfer_gain=0.03 if good else -0.03, chamfer=CHAMFER[weights])
    return promote(root, PARAMS, backbone="wan22", again=again)


def aliases(root: Path) -> dict[str, str]:
    with registry(root) as client:
        return aliases_of(client, NAME)


def test_the_first_version_that_passes_is_the_champion(root: Path) -> None:
    refused = decide(root, "first", good=False)
    assert (refused.promoted, refused.champion) == (False, None)
    assert "not promoted" in refused.text
    assert aliases(root) == {"challenger": "1"}
    decision = decide(root, "second")
    assert (decision.promoted, decision.champion) == (True, 2)
    assert aliases(root) == {"challenger": "1", "champion": "2"}


def test_a_refused_version_changes_no_champion(root: Path) -> None:
    decide(root, "first")
    decision = decide(root, "second", good=False)
    assert (decision.promoted, decision.champion) == (False, 1)
    assert aliases(root) == {"champion": "1", "challenger": "2"}


def test_a_challenger_that_passes_later_is_challenger_no_more(root: Path) -> None:
    decide(root, "first", good=False)
    decide(root, "first")
    assert aliases(root) == {"champion": "1"}


def test_a_better_version_follows_the_champion_is_kept_and_deciding_again_changes_nothing(root: Path) -> None:
    decide(root, "first")
    decide(root, "second")
    assert aliases(root) == {"champion": "2", "previous": "1"}
    rows = metric_rows(root)
    version = decide(root, "second").version
    assert version
    assert version.created is False
    assert aliases(root) == {"champion": "2", "previous": "1"}
    assert metric_rows(root) == rows
    assert ("stage3.permanence", 0, 0.9) in rows


def test_a_champion_that_a_stricter_gate_refuses_stays(root: Path) -> None:
    decide(root, "first")
    decision = decide(root, "first", good=False)
    assert (decision.promoted, decision.champion) == (False, 1)
    assert aliases(root) == {"champion": "1"}


def test_a_rollback_holds_until_a_person_says_otherwise(root: Path) -> None:
    decide(root, "first")
    decide(root, "second")
    assert rollback(root, NAME) == 1
    assert aliases(root) == {"champion": "1", "previous": "2"}
    decision = decide(root, "second")
    assert (decision.promoted, decision.champion) == (False, 1)
    assert "a rollback withdrew it" in decision.text
    assert decide(root, "second", again=True).champion == 2


def test_a_rollback_taken_back(root: Path) -> None:
    decide(root, "first")
    decide(root, "second")
    rollback(root, NAME)
    assert rollback(root, NAME) == 2
    assert decide(root, "second").promoted
    assert aliases(root)["champion"] == "2"


def test_without_a_previous_champion_there_is_no_way_back(root: Path) -> None:
    decide(root, "first")
    with pytest.raises(Phys4dError, match="no previous champion"):
        rollback(root, NAME)


def test_figures_of_another_model_decide_nothing(root: Path) -> None:
    make_model(root)
    make_metrics(root)
    record(root, trained="second", evaluated="first")
    with pytest.raises(Phys4dError, match="measured another model"):
        promote(root, PARAMS, backbone="wan22")
    with closing(sqlite3.connect(root / DATABASE)) as connection:
        assert connection.execute("select count(*) from model_versions").fetchone() == (0,)


def test_figures_of_a_model_that_was_trained_again_without_dvc_decide_nothing(root: Path) -> None:
    make_model(root)
    make_metrics(root)
    model = root / "models/wan22/stage3/model.json"
    before = manifest_hash(model.parent)
    model.write_text(json.dumps({**json.loads(model.read_text()), "facts": {"steps": 2}}))
    with pytest.raises(Phys4dError, match="run phys4d stage evaluate@wan22") as caught:
        promote(root, PARAMS, backbone="wan22")
    assert before in str(caught.value)
    assert manifest_hash(model.parent) in str(caught.value)
    with closing(sqlite3.connect(root / DATABASE)) as connection:
        assert connection.execute("select count(*) from model_versions").fetchone() == (0,)


def test_figures_that_name_no_model_decide_nothing(root: Path) -> None:
    make_model(root)
    make_metrics(root)
    path = root / "data/evaluation/wan22/metrics.json"
    metrics = json.loads(path.read_text())
    del metrics["evaluation.model"]
    path.write_text(json.dumps(metrics))
    with pytest.raises(Phys4dError, match=r"evaluation\.model is None, expected '[0-9a-f]{64}'"):
        promote(root, PARAMS, backbone="wan22")


def test_without_figures_there_is_no_verdict(root: Path) -> None:
    make_model(root)
    with pytest.raises(Phys4dError, match="phys4d stage evaluate@wan22"):
        promote(root, PARAMS, backbone="wan22")
