"""Two runs of one project: the later one says whom it waits for, and begins when that one has ended."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from components.errors import StoppedError
from components.locks import exclusive, lock_holder
from flows.turn import LOCK, turn


def test_a_run_waits_for_another_and_says_so_once(tmp_path: Path) -> None:
    said: list[str] = []
    with ExitStack() as other:
        other.enter_context(exclusive(tmp_path / LOCK, "another run"))

        def say(line: str) -> None:
            said.append(line)
            other.close()

        with turn(tmp_path, stopped=lambda: False, say=say):
            assert lock_holder(tmp_path / LOCK) == os.getpid()
    assert said == [f"process {os.getpid()} runs in this project: waiting for it to end"]


def test_a_run_that_waits_can_be_stopped(tmp_path: Path) -> None:
    said: list[str] = []
    with (
        exclusive(tmp_path / LOCK, "another run"),
        pytest.raises(StoppedError),
        turn(tmp_path, stopped=lambda: bool(said), say=said.append),
    ):
        pytest.fail("it began")


def test_the_next_run_begins_at_once(tmp_path: Path) -> None:
    for _ in range(2):
        with turn(tmp_path, stopped=lambda: True, say=pytest.fail):
            pass
