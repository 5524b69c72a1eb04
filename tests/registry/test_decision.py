"""What a decision rests on, and where it is written: the champion's own clips, files as they were registered."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from components.registry import aliases, promotion
from components.registry.aliases import WITHDRAWN, aliases_of
from components.registry.promotion import Decision, consider, promote, rollback
from components.registry.trial import Sample
from components.registry.versions import registry
from components.tracking import DATABASE
from tests.registry.models import NAME, PARAMS, make_metrics, make_model

Measured = Callable[..., Decision]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "project"


@pytest.fixture
def root(project: Path, kept: Path) -> Path:
    """A project with a champion, promoted once, and a second model."""
    if kept.exists():
        shutil.copytree(kept, project, dirs_exist_ok=True)
        return project
    make_model(project)
    make_metrics(project)
    assert promote(project, PARAMS, backbone="wan22").promoted
    make_model(project, weights="second")
    shutil.copytree(project, kept)
    return project


def failed(decision: Decision) -> list[str]:
    return [check.name for check in decision.checks if not check.passed]


def dump(root: Path) -> list[str]:
    """All that MLflow's database holds."""
    with closing(sqlite3.connect(root / DATABASE)) as connection:
        return list(connection.iterdump())


def tree(root: Path) -> dict[str, bytes]:
    """Every file but the database and locks."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files if "mlflow.db" not in path.name and path.suffix != ".lock"}


def test_a_challenger_that_gains_nothing_over_the_champion_is_refused(root: Path) -> None:
    make_metrics(root, chamfer=0.5)
    decision = promote(root, PARAMS, backbone="wan22")
    assert failed(decision) == ["chamfer gain over the champion"]
    assert decision.text.endswith("chamfer gain over the champion +0 (at least +0), needed more than 0")


def test_a_challenger_that_is_much_worse_at_something_else_is_refused(root: Path) -> None:
    make_metrics(root, chamfer=0.4, overlap=0.3)
    assert failed(promote(root, PARAMS, backbone="wan22")) == ["score no worse than the champion"]


def test_a_champion_of_other_scenes_is_measured_first(root: Path) -> None:
    make_metrics(root, chamfer=0.4, scenes="t" * 64)
    decision = promote(root, PARAMS, backbone="wan22")
    assert failed(decision) == ["comparable with the champion"]
    assert "version 1, was measured on scenes ssssssssssss, this one on tttttttttttt: measure the" in decision.text
    make_model(root)  # the champion's own files again, as in a checkout of its commit
    make_metrics(root, scenes="t" * 64)
    assert promote(root, PARAMS, backbone="wan22").champion == 1
    make_model(root, weights="second")
    make_metrics(root, chamfer=0.4, scenes="t" * 64)
    assert promote(root, PARAMS, backbone="wan22").champion == 2


def test_a_table_of_the_champion_that_was_changed_is_refused(root: Path) -> None:
    (kept,) = (root / ".phys4d/mlartifacts").rglob("per_clip.parquet")
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    make_metrics(root, chamfer=0.4)
    decision = promote(root, PARAMS, backbone="wan22")
    assert failed(decision) == ["comparable with the champion"]
    assert "not the file that the registry names" in decision.text


def test_a_registered_file_that_was_changed_is_refused(root: Path) -> None:
    make_metrics(root, chamfer=0.4)
    assert consider(root, PARAMS, backbone="wan22").promoted
    promote(root, PARAMS.model_copy(update={"promotion": strict()}), backbone="wan22")
    for heads in (root / ".phys4d/mlartifacts").rglob("heads.safetensors"):
        heads.write_text("other")
    decision = promote(root, PARAMS, backbone="wan22")
    assert failed(decision) == ["files", "sample"]
    assert "heads.safetensors: not the file that version.json names" in decision.text
    assert decision.champion == 1


def strict() -> object:
    return PARAMS.promotion.model_copy(update={"floors": {"permanence": 0.99}})


def test_a_still_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "draw_sample", lambda *_, **__: Sample(wrong="", motion=0.0))
    make_metrics(root, chamfer=0.4)
    assert failed(promote(root, PARAMS, backbone="wan22")) == ["sample"]


@pytest.mark.parametrize("chamfer", [0.4, 0.5])
def test_a_dry_run_decides_alike_and_changes_nothing(root: Path, chamfer: float) -> None:
    make_metrics(root, chamfer=chamfer)
    before = dump(root), tree(root)
    foreseen = consider(root, PARAMS, backbone="wan22")
    assert (dump(root), tree(root)) == before
    assert (foreseen.version, foreseen.champion) == (None, 1)
    decision = promote(root, PARAMS, backbone="wan22")
    assert decision.checks == foreseen.checks
    again = consider(root, PARAMS, backbone="wan22")
    assert again.version
    assert again.version.number == 2


def test_the_decision_and_every_number_are_tags_and_a_file(root: Path) -> None:
    make_metrics(root, chamfer=0.4)
    decision = promote(root, PARAMS, backbone="wan22")
    written = json.loads((root / "data/promotion/wan22.json").read_text())
    assert (written["name"], written["version"], written["promoted"], written["champion"]) == (NAME, 2, True, 2)
    assert [check["name"] for check in written["checks"]] == [check.name for check in decision.checks]
    gain = next(check for check in written["checks"] if check["name"] == "chamfer gain over the champion")
    assert gain["value"] == pytest.approx(0.1)
    assert gain["low"] <= gain["value"] <= gain["high"]
    assert (gain["threshold"], gain["n"], gain["passed"]) == (0.0, 12, True)
    artifacts = list((root / ".phys4d/mlartifacts").rglob("promotion.json"))
    assert written in [json.loads(path.read_text()) for path in artifacts]
    with registry(root) as client:
        tags = client.get_model_version(NAME, "2").tags
    assert tags["decision"] == "promoted"
    assert json.loads(tags["check.chamfer gain over the champion"]) == gain
    make_metrics(root, chamfer=0.4, split="dev")
    promote(root, PARAMS, backbone="wan22")
    written = json.loads((root / "data/promotion/wan22.json").read_text())
    assert (written["promoted"], written["reasons"][0][:5]) == (False, "split")
    with registry(root) as client:
        tags = client.get_model_version(NAME, "2").tags
    assert tags["decision"] == "refused"
    assert not any("champion" in name for name in tags if name.startswith("check."))  # it is the champion itself


def broken(*_: object) -> None:
    raise OSError("the server is gone")


def test_an_interrupted_rollback_is_finished_by_the_same_command(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_metrics(root, chamfer=0.4)
    promote(root, PARAMS, backbone="wan22")
    with monkeypatch.context() as patch:
        patch.setattr(aliases, "_readmit", broken)
        with registry(root) as client:
            patch.setattr(type(client), "set_registered_model_alias", stop_after_the_first(type(client)))
        with pytest.raises(Exception, match="the server is gone"):
            rollback(root, NAME)
    with registry(root) as client:
        assert aliases_of(client, NAME) == {"champion": "1", "previous": "1"}
    assert rollback(root, NAME) == 1
    with registry(root) as client:
        assert aliases_of(client, NAME) == {"champion": "1", "previous": "2"}
        assert client.get_model_version(NAME, "2").tags[WITHDRAWN] == "1"


def stop_after_the_first(kind: type) -> Callable[..., None]:
    move = kind.set_registered_model_alias  # type: ignore[attr-defined]
    moved: list[tuple[str, ...]] = []

    def once(*arguments: str) -> None:
        if moved:
            raise OSError("the server is gone")
        moved.append(arguments)
        move(*arguments)

    return once
