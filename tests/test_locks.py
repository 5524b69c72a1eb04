"""A stage's lock names its holder, ends with it, and keeps a second one out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.errors import Phys4dError
from components.locks import exclusive, lock_holder

HOLD = (
    "import sys, pathlib\n"
    "from components.locks import exclusive\n"
    "with exclusive(pathlib.Path(sys.argv[1]), 'simulate@dev'):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def hold(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_nobody_holds_a_lock_that_is_not_there(tmp_path: Path) -> None:
    assert lock_holder(tmp_path / "lock") is None


def test_a_lock_names_its_holder_and_is_free_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "run/simulate@dev.lock"
    with exclusive(path, "simulate@dev"):
        assert lock_holder(path) == os.getpid()
    assert lock_holder(path) is None


def test_a_second_holder_is_refused_with_the_first_ones_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.locks.LOCK_PATIENCE", 0.1)
    first = hold(tmp_path / "lock")
    with (
        pytest.raises(Phys4dError, match=f"simulate@dev is already running as process {first.pid}"),
        exclusive(tmp_path / "lock", "simulate@dev"),
    ):
        pass
    first.communicate("")


def test_a_killed_holder_leaves_the_lock_free(tmp_path: Path) -> None:
    first = hold(tmp_path / "lock")
    first.kill()
    first.wait()
    with exclusive(tmp_path / "lock", "simulate@dev"):
        assert lock_holder(tmp_path / "lock") == os.getpid()
