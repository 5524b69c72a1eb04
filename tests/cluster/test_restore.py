"""Entries are merged into dvc.lock while nobody else writes it."""

from pathlib import Path

import pytest

from components import locks
from components.cluster import restore
from components.cluster.entry import LockEntry
from components.cluster.restore import LOCKS, merge
from components.errors import Phys4dError
from components.locks import exclusive

ENTRY = LockEntry(stage="one", recorded={"cmd": "one", "params": {"params.yaml": {"seed": 0}}}, read={})
WHOLE = "schema: '2.0'\nstages:\n  one:\n    cmd: one\n    params:\n      params.yaml:\n        seed: 0\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dvc.yaml").write_text("stages:\n  one: {cmd: one, params: [seed]}\n")
    (tmp_path / "params.yaml").write_text("seed: 0\n")
    monkeypatch.setattr(restore, "LOCK_ATTEMPTS", 1)
    monkeypatch.setattr(locks, "LOCK_PATIENCE", 0.1)
    return tmp_path


@pytest.mark.parametrize("before", [None, "schema: '2.0'\nstages: {}\n", WHOLE])
def test_the_first_entry_makes_the_file(project: Path, before: str | None) -> None:
    if before is not None:
        (project / "dvc.lock").write_text(before)
    merge(project, ENTRY)
    assert (project / "dvc.lock").read_text() == WHOLE


def test_other_entries_stay_as_they_are(project: Path) -> None:
    other = "  other:\n    cmd: other\n    params:\n      params.yaml:\n        rate: 1e-05\n"
    (project / "dvc.lock").write_text(f"schema: '2.0'\nstages:\n{other}")
    merge(project, ENTRY)
    assert (project / "dvc.lock").read_text() == f"schema: '2.0'\nstages:\n{other}{WHOLE.split('stages:' + chr(10))[1]}"


@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_nothing_is_written_while_another_holds_a_lock(project: Path, lock: Path) -> None:
    with exclusive(project / lock, "another"), pytest.raises(Phys4dError, match=r"what writes dvc\.lock is already"):
        merge(project, ENTRY)
    assert not (project / "dvc.lock").exists()
    merge(project, ENTRY)


def test_an_entry_of_another_stage_changes_nothing(project: Path) -> None:
    (project / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    (project / "params.yaml").write_text("seed: 1\n")
    with pytest.raises(Phys4dError, match="one: what the pod did is not this stage: parameter seed differ"):
        merge(project, ENTRY)
    assert (project / "dvc.lock").read_text() == "schema: '2.0'\nstages: {}\n"
