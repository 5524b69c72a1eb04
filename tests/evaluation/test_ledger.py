"""Looks at the scenes of a split are counted."""

from pathlib import Path

from components.evaluation.ledger import LEDGER, count_looks, note_look


def test_a_project_begins_with_no_look(tmp_path: Path) -> None:
    assert count_looks(tmp_path, "s") == 0


def test_other_models_are_another_look_and_the_same_models_are_not(tmp_path: Path) -> None:
    for models in ({"base": "a", "stage3": "b"}, {"base": "a", "stage3": "c"}, {"stage3": "b", "base": "a"}):
        note_look(tmp_path, scenes="s", split="test", models=models)
    assert count_looks(tmp_path, "s") == 2


def test_scenes_are_counted_apart(tmp_path: Path) -> None:
    for scenes in ("dev", "test", "dev"):
        note_look(tmp_path, scenes=scenes, split="test", models={"base": "a"})
    assert (count_looks(tmp_path, "dev"), count_looks(tmp_path, "test")) == (1, 1)


def test_git_tracks_the_count_of_this_project() -> None:
    root = Path(__file__).resolve().parents[2]
    assert (root / LEDGER).read_text().endswith("\n")
