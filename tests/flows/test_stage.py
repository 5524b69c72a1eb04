"""A stage's exit code becomes its error, decides on another attempt, and a request to stop reaches the stage."""

import subprocess
import sys
import threading
from collections.abc import Mapping

import pytest

import flows.stage
from components.errors import ExitCode, GateRefusedError, ParametersError, Phys4dError, StoppedError
from components.progress import Progress
from flows.stage import Attempts, percentage, run_stage


def command(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Have a stage's process run this script."""

    def start(*_: str, environment: Mapping[str, str], log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", script], env=dict(environment), stderr=log)

    monkeypatch.setattr(flows.stage, "start", start)


def run(stopping: threading.Event | None = None) -> list[str]:
    said: list[str] = []
    run_stage("a@b", force=False, stopping=stopping or threading.Event(), say=said.append)
    return said


def test_what_a_stage_says_is_relayed_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, r"import sys; sys.stderr.write('a@b: 1/2 clips\n\nwarning: \u00e4\n')")
    assert run() == ["1/2 clips", "warning: ä"]


@pytest.mark.parametrize(
    ("code", "error"), [(1, Phys4dError), (65, GateRefusedError), (75, StoppedError), (78, ParametersError)]
)
def test_an_exit_code_becomes_its_error_with_the_cause(
    monkeypatch: pytest.MonkeyPatch, code: int, error: type[Phys4dError]
) -> None:
    command(monkeypatch, f"import sys; sys.stderr.write('a\\nphys4d: it is so\\nb\\n'); sys.exit({code})")
    with pytest.raises(error, match=r"^it is so$") as caught:
        run()
    assert type(caught.value) is error


def test_an_unknown_code_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, "raise SystemExit(3)")
    with pytest.raises(Phys4dError, match="a@b: exited with 3"):
        run()


def test_a_killed_stage_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(Phys4dError, match="signal 9") as caught:
        run()
    assert caught.value.code is ExitCode.FAILED


@pytest.mark.parametrize("handled", [True, False])
def test_a_request_to_stop_reaches_the_stage_and_is_waited_for(monkeypatch: pytest.MonkeyPatch, handled: bool) -> None:
    handler = "signal.signal(15, lambda *_: (sys.stderr.write('saved\\n'), sys.exit(75)));" if handled else ""
    command(monkeypatch, f"import signal, sys, time; {handler} sys.stderr.write('ready\\n'); time.sleep(60)")
    stopping, said = threading.Event(), []

    def say(line: str) -> None:
        said.append(line)
        stopping.set()

    with pytest.raises(StoppedError):
        run_stage("a@b", force=False, stopping=stopping, say=say)
    assert said == (["ready", "saved"] if handled else ["ready"])


def test_nothing_is_started_once_a_stop_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, "raise SystemExit(0)")
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(StoppedError):
        run(stopping)


def test_a_stopped_stage_is_always_resumed_and_a_refused_one_never() -> None:
    attempts = Attempts(1, threading.Event())
    assert all(attempts.another(StoppedError("machine taken away")) for _ in range(20))
    assert not attempts.another(GateRefusedError("rows"))
    assert not attempts.another(ParametersError("steps"))
    assert [attempts.another(Phys4dError("out of memory")) for _ in range(3)] == [True, False, False]


def test_after_a_request_to_stop_nothing_is_tried_again() -> None:
    stopping = threading.Event()
    stopping.set()
    assert not Attempts(5, stopping).another(StoppedError("as asked"))


def test_a_stages_own_lines_say_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PHYS4D_TERMINAL", "0")
    with Progress("a@b", 8, unit="clips") as progress:
        progress.note("2 draws rejected")
        progress.advance(3)
    lines = [line.removeprefix("a@b: ") for line in capsys.readouterr().err.splitlines()]
    assert [percentage(line) for line in lines] == [0.0, 37.5]
    assert all(line.endswith("2 draws rejected") for line in lines[1:])
    assert percentage("warning: 3/8 clips were damaged") is None
    assert percentage("0/0 clips") is None
