"""What counts as a change of the commit that is checked out: code and parameters, not what a run writes."""

import subprocess
from pathlib import Path

import pytest

from components.checkout import checked_out, read_checkout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("params.yaml", "dvc.lock", "docs/evidence/looks.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one\n")
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "--quiet"), ("add", "."), (*identity, "commit", "--quiet", "--message", "one")):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "changed"), [("params.yaml", True), ("dvc.lock", False), ("docs/evidence/looks.jsonl", False)]
)
def test_a_run_writes_without_changing_what_is_run(root: Path, name: str, changed: bool) -> None:
    (root / name).write_text("two\n")
    found = read_checkout(root)
    assert found is not None
    assert found.changed is changed
    assert checked_out(root) == found.commit[:12] + ("+" if changed else "")


def test_a_folder_without_git_has_no_commit(tmp_path: Path) -> None:
    assert read_checkout(tmp_path) is None
    assert checked_out(tmp_path) == ""
