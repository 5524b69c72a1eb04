"""phys4d plan: a question, answered with exit code 0 unless it is asked wrongly."""

import json

import pytest

from components.__main__ import run
from components.errors import ExitCode
from components.planning import plan as planning


@pytest.mark.parametrize(("memory", "fits"), [("4", True), ("0.1", False)])
def test_a_plan_of_what_does_not_fit_is_an_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, memory: str, *, fits: bool
) -> None:
    monkeypatch.setattr(planning, "WORKS", ["evaluate"])
    arguments = ["plan", "--profile", "smoke", "--backbone", "wan22", "--memory", memory, "--json"]
    assert run(arguments, debug=False) == ExitCode.DONE
    stages = json.loads(capsys.readouterr().out)
    assert {stage: (row["fits"], row["there"]) for stage, row in stages.items()} == {
        "evaluate@wan22": (fits, round(float(memory) * 10**9))
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backbone", "sora"], "--backbone 'sora' is wrong, expected one of wan22, cogvideox, open_sora"),
        (["--ram", "4"], "--ram goes with --memory"),
        (["--profile", "none"], "no profile 'none', expected one of laptop"),
    ],
)
def test_a_wrong_question_is_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", *arguments], debug=False) == ExitCode.BAD_PARAMETERS
    said = capsys.readouterr()
    assert (said.out, message in said.err) == ("", True)
