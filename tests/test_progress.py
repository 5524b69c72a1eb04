"""Progress is plain lines on standard error where there is no terminal, with the time left."""

import re

import pytest

from components.progress import Progress, counter


def test_lines_say_what_is_done_of_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("simulate@train", 10, unit="clips") as display:
        display.advance(4)
    captured = capsys.readouterr()
    assert captured.out == ""
    first, last = captured.err.splitlines()
    assert first == "simulate@train: 0/10 clips"
    assert re.fullmatch(r"simulate@train: 4/10 clips, [\d.]+ a second, \d+ s left", last)


def test_a_note_follows_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("simulate@train", 10, unit="clips") as display:
        display.note("0 draws rejected")
        display.note("2 draws rejected")
        display.advance(4)
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(r"simulate@train: 4/10 clips, [\d.]+ a second, \d+ s left, 2 draws rejected", last)


def test_what_was_there_before_does_not_count_for_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("simulate@train", 10, unit="clips") as display:
        display.resume(10)
    assert capsys.readouterr().err.splitlines()[-1] == "simulate@train: 10/10 clips"


def test_a_line_comes_at_every_interval(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.progress.LINE_EVERY", 0.0)
    with Progress("x", 3, unit="clips") as display:
        for _ in range(3):
            display.advance()
    assert len(capsys.readouterr().err.splitlines()) == 5


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHYS4D_TERMINAL", "1")
    with Progress("simulate@train", 2, unit="clips") as display:
        display.note("1 draw rejected")
        display.advance(2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "2/2" in captured.err
    assert "1 draw rejected" in captured.err
    assert "\x1b[" in captured.err


def test_a_counter_takes_totals_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    with counter("physics-iq", unit="cases") as progress:
        progress(1, 3)
        progress(3, 3)
    assert capsys.readouterr().err.splitlines()[-1].startswith("physics-iq: 3/3 cases")


def test_a_counter_that_never_counts_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with counter("physics-iq", unit="cases"):
        pass
    assert capsys.readouterr().err == ""
