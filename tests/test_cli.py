"""The command line: light to start, clean JSON on standard output, errors in one line with their code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from components.__main__ import run
from components.cli import app
from components.errors import ClipError, ExitCode, GateRefusedError, ParametersError, Phys4dError, StoppedError
from components.parameters.profiles import profile_text

HEAVY = {
    "numpy",
    "pandas",
    "pyarrow",
    "cv2",
    "warp",
    "pybullet",
    "pydantic",
    "torch",
    "great_expectations",
    "dvc",
    "rich",
}
PHYS4D = (sys.executable, "-m", "components")


def command_line(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PHYS4D, *arguments], capture_output=True, text=True, check=False, cwd=cwd)


def test_help_loads_no_heavy_library() -> None:
    script = (
        "import sys; sys.argv = ['phys4d', '--help']; import components.__main__ as program\n"
        "try: program.main()\n"
        "finally: print(' '.join(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "validate-simulation" in output
    assert set(output.splitlines()[-1].split()) & HEAVY == set()


def test_every_command_has_help() -> None:
    group = typer.main.get_command(app)
    for name in group.commands:  # type: ignore[attr-defined]
        assert run([name, "--help"], debug=False) == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Phys4dError("x"), 1),
        (ClipError("x"), 1),
        (GateRefusedError("x"), 65),
        (StoppedError("x"), 75),
        (ParametersError("x"), 78),
        (RuntimeError("x"), 1),
        (KeyboardInterrupt(), 75),
    ],
)
def test_every_error_has_its_exit_code_and_one_line(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("components.parameters.loader.read_yaml", fail)
    assert run(["params", "check"], debug=False) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("phys4d: ")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["bogus"], ["simulate"], ["simulate", "--split", "nope"], ["profile"], ["physics-iq", "score"]]
)
def test_a_wrong_command_line_gives_78(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments, debug=False) == ExitCode.BAD_PARAMETERS
    assert capsys.readouterr().err.count("\n") == 1


def test_debug_adds_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--split", "nope"], debug=True) == ExitCode.BAD_PARAMETERS
    assert "Traceback" in capsys.readouterr().err


def test_check_names_every_problem(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    text = profile_text("laptop").replace("frames: 17", "frames: 18").replace("fps: 16", "fps: 25")
    (tmp_path / "params.yaml").write_text(text)
    (tmp_path / "profiles").symlink_to(Path("profiles").resolve())
    result = command_line("params", "check", cwd=tmp_path)
    assert result.returncode == ExitCode.BAD_PARAMETERS
    assert "video.frames: 18" in result.stderr
    assert "video.fps: 25" in result.stderr
    assert len(result.stderr.splitlines()) == 2


def test_outside_a_project_is_said(tmp_path: Path) -> None:
    result = command_line("params", "check", cwd=tmp_path)
    assert result.returncode == ExitCode.FAILED
    assert "run phys4d inside the project" in result.stderr


def test_a_command_works_from_a_folder_of_the_project() -> None:
    assert command_line("params", "check", cwd=Path("docs")).returncode == 0


def test_diff_as_json_is_one_object_on_standard_output() -> None:
    result = command_line("profile", "diff", "smoke", "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout)["profile"] == ["smoke", "laptop"]
    assert result.stdout.count("\n") == 1
