"""phys4d plan: a question, answered with exit code 0 unless it is asked wrongly."""

import json

import pytest

from components.__main__ import run
from components.errors import ExitCode


def test_a_plan_of_what_does_not_fit_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plan", "--profile", "smoke", "--backbone", "wan22", "--memory", "4", "--json"]
    assert run(arguments, debug=False) == ExitCode.DONE
    stages = json.loads(capsys.readouterr().out)
    assert [stage for stage, row in stages.items() if row["fits"]] == list(stages)
    assert {row["there"] for row in stages.values()} == {4 * 10**9}


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
