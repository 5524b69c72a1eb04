"""The commands of `phys4d dataset`: figures on standard output, a cause and a code when they fail."""

import json
from pathlib import Path

import pytest

from components.__main__ import run
from components.errors import ExitCode
from tests.dataset.scenes import clip_of, damage, write_split


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_split(tmp_path / "train", [clip_of(number) for number in range(2)])


def test_show_writes_the_page_where_the_command_was_given(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["dataset", "show", "train", "--clips", "1", "--json"], debug=False) == ExitCode.DONE
    figures = json.loads(capsys.readouterr().out)
    size = (tmp_path / "dataset.html").stat().st_size
    assert figures == {"page": "dataset.html", "bytes": size, "clips": 2, "damaged": 0}


@pytest.mark.parametrize("command", [["show"], ["export", "--format", "isaac"]])
def test_a_damaged_clip_fails_or_is_counted(
    command: list[str], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder)
    arguments = ["dataset", *command, str(folder), "--out", str(tmp_path / "out.html"), "--json"]
    assert run(arguments, debug=False) == ExitCode.FAILED
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "phys4d: clip train-rigid-000000-v0-t0: its bytes in shard" in captured.err
    assert run([*arguments, "--skip-damaged"], debug=False) == ExitCode.DONE
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert (figures["clips"], figures["damaged"]) == (1, 1)
    assert "left out: clip train-rigid-000000-v0-t0: its bytes in shard" in captured.err
    assert "shard-00000.tar" in captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["dataset"],
        ["dataset", "show"],
        ["dataset", "show", "absent"],
        ["dataset", "show", "tests", "--clips", "-1"],
        ["dataset", "export", "tests", "--format", "nope", "--out", "x"],
        ["dataset", "export", "absent", "--format", "isaac", "--out", "x"],
    ],
)
def test_a_wrong_command_line_is_said_as_one(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments, debug=False) == ExitCode.BAD_PARAMETERS
    assert capsys.readouterr().out == ""


def test_an_export_never_goes_into_a_folder_that_holds_something(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["dataset", "export", str(folder), "--format", "isaac", "--out", str(folder)]
    assert run(arguments, debug=False) == ExitCode.BAD_PARAMETERS
    assert "already holds index.parquet; expected a new folder" in capsys.readouterr().err
