"""dvc.lock: what a full disk cut short comes back, and nothing else is touched."""

from pathlib import Path

import pytest

from components.errors import ParametersError
from components.pipeline.lockfile import COPY, DAMAGED, keep_lockfile, mend_lockfile
from components.recorded import LOCKFILE

GOOD = "schema: '2.0'\nstages:\n  simulate@dev:\n    cmd: x\n    outs:\n    - path: a\n      md5: b\n"


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.pipeline.lockfile.PATIENCE", 0.01)


def test_a_good_file_is_copied_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / LOCKFILE).write_text(GOOD)
    assert keep_lockfile(tmp_path)
    assert (tmp_path / LOCKFILE).read_text() == (tmp_path / COPY).read_text() == GOOD


@pytest.mark.parametrize("size", [0, 3, 40, len(GOOD) - 1])
def test_a_file_cut_short_comes_back_and_what_was_left_of_it_is_kept(tmp_path: Path, size: int) -> None:
    (tmp_path / LOCKFILE).write_text(GOOD)
    keep_lockfile(tmp_path)
    (tmp_path / LOCKFILE).write_text(GOOD[:size])
    mend_lockfile(tmp_path, existed=True)
    assert (tmp_path / LOCKFILE).read_text() == GOOD
    assert (tmp_path / DAMAGED).read_text() == GOOD[:size]


def test_a_first_file_cut_short_is_removed(tmp_path: Path) -> None:
    assert not keep_lockfile(tmp_path)
    (tmp_path / LOCKFILE).write_text(GOOD[:40])
    mend_lockfile(tmp_path, existed=False)
    assert not (tmp_path / LOCKFILE).exists()


def test_an_old_copy_is_no_copy_of_a_new_file(tmp_path: Path) -> None:
    (tmp_path / LOCKFILE).write_text(GOOD)
    keep_lockfile(tmp_path)
    (tmp_path / LOCKFILE).unlink()
    keep_lockfile(tmp_path)
    (tmp_path / LOCKFILE).write_text(GOOD[:40])
    with pytest.raises(ParametersError, match=r"dvc.lock is damaged .* restore it from git"):
        keep_lockfile(tmp_path)


def test_a_copy_that_is_cut_short_itself_is_not_put_back(tmp_path: Path) -> None:
    (tmp_path / LOCKFILE).write_text(GOOD)
    keep_lockfile(tmp_path)
    for path in (COPY, LOCKFILE):
        (tmp_path / path).write_text(GOOD[:40])
    with pytest.raises(ParametersError, match=r"dvc.lock is damaged .* restore it from git"):
        keep_lockfile(tmp_path)
    with pytest.raises(ParametersError, match=r"dvc.lock is damaged"):
        mend_lockfile(tmp_path, existed=True)
    assert (tmp_path / LOCKFILE).read_text() == GOOD[:40]
    assert not (tmp_path / DAMAGED).exists()


def test_what_is_kept_is_what_was_found_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another DVC may begin to write just after the file was read."""
    (tmp_path / LOCKFILE).write_text(GOOD)
    read = Path.read_bytes

    def read_before_it_is_cut_short(path: Path) -> bytes:
        content = read(path)
        path.write_bytes(content[:40])
        return content

    monkeypatch.setattr(Path, "read_bytes", read_before_it_is_cut_short)
    assert keep_lockfile(tmp_path)
    assert (tmp_path / COPY).read_text() == GOOD


def test_a_conflict_of_git_is_the_users_to_resolve(tmp_path: Path) -> None:
    (tmp_path / LOCKFILE).write_text(GOOD)
    keep_lockfile(tmp_path)
    conflict = f"<<<<<<< HEAD\n{GOOD}=======\n{GOOD}>>>>>>> other\n"
    (tmp_path / LOCKFILE).write_text(conflict)
    with pytest.raises(ParametersError, match="conflict of git"):
        keep_lockfile(tmp_path)
    assert (tmp_path / LOCKFILE).read_text() == conflict


def test_what_a_later_run_added_is_not_undone(tmp_path: Path) -> None:
    (tmp_path / LOCKFILE).write_text(GOOD)
    keep_lockfile(tmp_path)
    more = GOOD + GOOD.split("stages:\n")[1].replace("@dev", "@test")
    (tmp_path / LOCKFILE).write_text(more)
    mend_lockfile(tmp_path, existed=True)
    assert (tmp_path / LOCKFILE).read_text() == more
