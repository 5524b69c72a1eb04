"""dvc.lock is read whole."""

import os
import threading
import time
from pathlib import Path

import pytest

from components.errors import ParametersError
from components.locks import exclusive
from components.recorded import DVC_LOCK, LOCKFILE, read_lockfile, recorded_hashes, recorded_stages

ENTRY = "  simulate@dev:\n    cmd: x\n    outs:\n    - path: a\n      md5: b\n"
GOOD = f"schema: '2.0'\nstages:\n{ENTRY}"


def test_what_a_dvc_is_writing_is_read_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC writes in place, and a part of a file may be good YAML."""
    monkeypatch.setattr("components.recorded.SETTLED", 60.0)
    more = GOOD + ENTRY.replace("@dev", "@test")
    begun = threading.Event()

    def write_as_dvc_does() -> None:
        with exclusive(tmp_path / DVC_LOCK, "DVC"), (tmp_path / LOCKFILE).open("w") as file:
            for part in (GOOD, more.removeprefix(GOOD)):
                begun.set()
                time.sleep(0.2)
                file.write(part)
                file.flush()

    (tmp_path / LOCKFILE).write_text(GOOD)
    writer = threading.Thread(target=write_as_dvc_does)
    writer.start()
    begun.wait()
    assert read_lockfile(tmp_path) == more.encode()
    writer.join()


def test_a_dvc_that_does_something_else_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / LOCKFILE).write_text(GOOD)
    os.utime(tmp_path / LOCKFILE, (0, 0))
    with exclusive(tmp_path / DVC_LOCK, "DVC"):
        assert read_lockfile(tmp_path) == GOOD.encode()


def test_before_the_first_stage_there_is_none(tmp_path: Path) -> None:
    assert read_lockfile(tmp_path) is None
    assert not recorded_stages(tmp_path)
    assert not recorded_hashes(tmp_path, "simulate@dev", "outs")


def test_hashes_are_those_of_a_stage_that_was_done(tmp_path: Path) -> None:
    (tmp_path / LOCKFILE).write_text(GOOD)
    assert recorded_hashes(tmp_path, "simulate@dev", "outs") == {"a": "b"}
    assert recorded_hashes(tmp_path, "simulate@dev", "deps") == recorded_hashes(tmp_path, "other", "outs") == {}


@pytest.mark.parametrize("content", ["", "stages", "stages: [", "stages: 3\n", "other: {}\n"])
def test_a_file_that_is_none_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / LOCKFILE).write_text(content)
    with pytest.raises(ParametersError, match=r"dvc\.lock cannot be read .*: run dvc repro"):
        recorded_hashes(tmp_path, "simulate@dev", "outs")
