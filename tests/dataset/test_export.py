"""An export is whole or not there, and never takes the place of anything."""

import errno
from pathlib import Path

import pytest

from components.dataset.export import new_export
from components.errors import ExitCode, ParametersError, Phys4dError, StoppedError


def test_nothing_has_the_name_before_everything_is_written(tmp_path: Path) -> None:
    with new_export(tmp_path / "a/out") as work:
        (work / "file").write_text("x")
        assert not (tmp_path / "a/out").exists()
    assert (tmp_path / "a/out/file").read_text() == "x"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["out"]


def test_a_stopped_export_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoppedError), new_export(tmp_path / "out") as work:
        (work / "file").write_text("x")
        raise StoppedError("stopped")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_export_left_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / ".out.part").mkdir()
    (tmp_path / ".out.part/old").touch()
    with new_export(tmp_path / "out") as work:
        (work / "new").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]


def test_an_empty_folder_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with new_export(tmp_path / "out") as work:
        (work / "new").touch()
    assert (tmp_path / "out/new").exists()


@pytest.mark.parametrize(("place", "message"), [("full", "already holds mine"), ("full/mine", "is a file")])
def test_what_is_there_is_refused_and_untouched(tmp_path: Path, place: str, message: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").write_text("x")
    with pytest.raises(ParametersError, match=message), new_export(tmp_path / place):
        pass
    assert (tmp_path / "full/mine").read_text() == "x"


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ParametersError, match="is a file, expected a folder"), new_export(tmp_path / "file/out"):
        pass


def test_a_full_disk_is_said_and_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(Phys4dError, match="no space left on the disk") as error, new_export(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "full")
    assert error.value.code is ExitCode.FAILED
    assert list(tmp_path.iterdir()) == []
