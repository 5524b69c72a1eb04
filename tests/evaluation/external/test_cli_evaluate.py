"""phys4d evaluate: the stage as ever, and beside it models from outside."""

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from components import cli_evaluate
from components.__main__ import run
from components.errors import ExitCode
from components.parameters.profiles import profile_text
from tests.evaluation.external.project import answer_all, make_project, prompts_of


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A command that is done ignores the signals that ask it to stop: the tests after it must not."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_project(tmp_path_factory.mktemp("project"))
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text(profile_text("smoke"))
    return root


@pytest.fixture
def below(project: Path, tmp_path: Path) -> Path:
    """A folder of the project in which commands are given."""
    folder = project / tmp_path.name
    folder.mkdir()
    return folder


@pytest.fixture
def phys4d(below: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    def command(*arguments: str) -> int:
        monkeypatch.chdir(below)  # a command goes to the project's folder
        return run(["evaluate", *arguments], debug=False)

    return command


def test_prompts_go_out_and_videos_come_back(
    project: Path, below: Path, phys4d: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """From a folder below the project, paths as they were given there."""
    assert phys4d("export", "--out", "prompts", "--json") == ExitCode.DONE
    exported = json.loads(capsys.readouterr().out)
    assert exported == {"folder": "prompts", "split": "test", "prompts": 3, "replaced": False}
    assert (below / "prompts/first_frames" / f"{prompts_of(project)[0].id}.png").is_file()

    answer_all(project, below / "sora")
    assert phys4d("--videos", "sora", "--json") == ExitCode.DONE
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document == json.loads((project / "data/evaluation/external/sora/metrics.json").read_text())
    assert (document["external.name"], document["sora.score"]) == ("sora", 100)
    assert "note: " in captured.err
    assert "run phys4d stage evaluate@wan22 for paired differences" in captured.err

    options = ("--name", "sora", "--out", "results", "--split", "test")
    assert phys4d("--videos", "sora", *options) == ExitCode.DONE
    output = capsys.readouterr().out.splitlines()
    assert output[0].split() == ["sora", "judged_truth", "first_frame"]
    assert output[1].split()[:2] == ["score", "100"]
    assert output[-1] == str(below / "results")
    assert json.loads((below / "results/metrics.json").read_text()) == document


def test_the_stage_is_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, Mapping[str, str], bool]] = []

    def record(template: str, item: Mapping[str, str], *, as_json: bool) -> None:
        called.append((template, item, as_json))

    monkeypatch.setattr(cli_evaluate, "run_stage_command", record)
    assert run(["evaluate", "--backbone", "wan22"], debug=False) == ExitCode.DONE
    assert run(["evaluate", "--backbone", "wan22", "--json"], debug=False) == ExitCode.DONE
    assert called == [("evaluate", {"backbone": "wan22"}, False), ("evaluate", {"backbone": "wan22"}, True)]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--backbone", "nope"],
        ["--backbone", "wan22", "--name", "sora"],
        ["--backbone", "wan22", "--split", "dev"],
        ["--name", "sora"],
        ["--allow-missing"],
        ["--videos", "absent"],
        ["--videos", "absent", "--name", "base"],
        ["--videos", "absent", "--split", "train"],
        ["export"],
        ["export", "--out", "x", "--split", "train"],
        ["--json", "export", "--out", "x"],
        ["--videos", "absent", "export", "--out", "x"],
    ],
)
def test_a_wrong_command_line_gives_78_and_writes_nothing(
    below: Path, phys4d: Callable[..., int], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert phys4d(*arguments) == ExitCode.BAD_PARAMETERS
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert list(below.iterdir()) == []


def test_both_commands_have_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "--help"], debug=False) == ExitCode.DONE
    assert "export" in capsys.readouterr().out
    assert run(["evaluate", "export", "--help"], debug=False) == ExitCode.DONE
    assert "--split" in capsys.readouterr().out
