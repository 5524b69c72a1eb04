"""Looks at a split are counted."""

from pathlib import Path

from components.evaluation.ledger import note_evaluation, times_evaluated


def test_a_project_begins_with_no_look(tmp_path: Path) -> None:
    assert times_evaluated(tmp_path, "test") == 0


def test_other_models_are_another_look_and_the_same_models_are_not(tmp_path: Path) -> None:
    for models in ({"base": "a", "stage3": "b"}, {"base": "a", "stage3": "c"}, {"stage3": "b", "base": "a"}):
        note_evaluation(tmp_path, split="test", models=models)
    assert times_evaluated(tmp_path, "test") == 2


def test_splits_are_counted_apart(tmp_path: Path) -> None:
    for split in ("dev", "test", "dev"):
        note_evaluation(tmp_path, split=split, models={"base": "a"})
    assert (times_evaluated(tmp_path, "dev"), times_evaluated(tmp_path, "test")) == (1, 1)
