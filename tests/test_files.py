"""Files are whole or not there."""

import errno
from pathlib import Path

import pytest

from components.errors import Phys4dError
from components.files import atomic_file, move_folder, new_folder, write_atomically


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "deep/a") as file:
        file.write(b"x")
        assert not (tmp_path / "deep/a").exists()
    assert (tmp_path / "deep/a").read_bytes() == b"x"


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"old")
    with pytest.raises(RuntimeError), atomic_file(tmp_path / "a") as file:
        file.write(b"new")
        raise RuntimeError
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_names_the_file_and_says_what_to_do(tmp_path: Path, number: int) -> None:
    with pytest.raises(Phys4dError, match=r"cannot write .*/a: .*free some room"), atomic_file(tmp_path / "a"):
        raise OSError(number, "full")
    assert list(tmp_path.iterdir()) == []


def test_other_errors_of_the_system_are_not_disguised(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), atomic_file(tmp_path / "a"):
        raise PermissionError(errno.EACCES, "no")


def test_a_moved_folder_replaces_the_old_one(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new/a", b"1")
    write_atomically(tmp_path / "old/b", b"2")
    move_folder(tmp_path / "new", tmp_path / "old")
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["a"]
    assert not (tmp_path / "new").exists()


def test_a_new_folder_holds_nothing_of_an_earlier_attempt(tmp_path: Path) -> None:
    (tmp_path / "model/part").mkdir(parents=True)
    (tmp_path / "model/.tmp123").write_bytes(b"half")
    assert new_folder(tmp_path / "model") == tmp_path / "model"
    assert new_folder(tmp_path / "a/b").is_dir()
    assert list((tmp_path / "model").iterdir()) == []
