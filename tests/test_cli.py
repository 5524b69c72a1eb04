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


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_that_no_generator_takes_gives_78(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["generate", "--image", "a.png", "--prompt", "A ball.", "--out", "out", "--seed", str(seed)]
    assert run(arguments, debug=False) == ExitCode.BAD_PARAMETERS
    assert "--seed" in capsys.readouterr().err


def test_debug_adds_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--split", "nope"], debug=True) == ExitCode.BAD_PARAMETERS
    assert "Traceback" in capsys.readouterr().err


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with parameters of its own: those of the checkout are the user's."""
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "profiles").symlink_to(Path("profiles").resolve())
    (tmp_path / "params.yaml").write_text(profile_text("smoke"))
    (tmp_path / "docs").mkdir()
    return tmp_path


def change(project: Path, *replacements: tuple[str, str]) -> None:
    path = project / "params.yaml"
    text = path.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


@pytest.fixture
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, where commands are given in this process."""
    monkeypatch.chdir(project)
    return project


def test_check_names_every_problem(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(inside, ("frames: 17", "frames: 18"), ("fps: 16", "fps: 25"))
    assert run(["params", "check"], debug=False) == ExitCode.BAD_PARAMETERS
    said = capsys.readouterr().err
    assert "video.frames: 18" in said
    assert "video.fps: 25" in said
    assert len(said.splitlines()) == 2


def test_outside_a_project_is_said(tmp_path: Path) -> None:
    result = command_line("params", "check", cwd=tmp_path)
    assert result.returncode == ExitCode.FAILED
    assert "run phys4d inside the project" in result.stderr


def test_check_as_json_of_what_is_good(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["params", "check", "--json"], debug=False) == 0
    assert json.loads(capsys.readouterr().out) == {"good": True, "problems": []}


def test_check_as_json_holds_every_problem(project: Path) -> None:
    change(project, ("frames: 17", "frames: 18"), ("fps: 16", "fps: 25"))
    bad = command_line("params", "check", "--json", cwd=project)
    assert bad.returncode == ExitCode.BAD_PARAMETERS
    report = json.loads(bad.stdout)
    assert report["good"] is False
    assert [problem["field"] for problem in report["problems"]] == ["video.frames", "video.fps"]
    assert all("write" in problem["message"] for problem in report["problems"])


def test_check_as_json_of_what_is_no_yaml(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / "params.yaml").write_text("a: [1")
    assert run(["params", "check", "--json"], debug=False) == ExitCode.BAD_PARAMETERS
    assert "not YAML" in json.loads(capsys.readouterr().out)["problems"][0]["message"]


def test_a_command_works_from_a_folder_of_the_project(project: Path) -> None:
    assert command_line("params", "check", cwd=project / "docs").returncode == 0


def test_diff_as_json_is_one_object_on_standard_output(project: Path) -> None:
    result = command_line("profile", "diff", "laptop", "--json", cwd=project)
    assert result.returncode == 0
    assert json.loads(result.stdout)["profile"] == ["laptop", "smoke"]
    assert result.stdout.count("\n") == 1


def test_diff_as_json_writes_what_json_has_no_number_for_as_text(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(inside, ("max_speed: 40.0", "max_speed: .nan"))
    assert run(["profile", "diff", "--json"], debug=False) == 0
    assert json.loads(capsys.readouterr().out) == {"quality.max_speed": [40.0, "NaN"]}


def test_a_preview_goes_where_the_command_was_given(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = []

    def record(folder: Path, *, clips: int, out: Path) -> None:
        written.append((Path.cwd() / folder, clips, out))

    monkeypatch.setattr("components.simulation.preview.write_preview", record)
    monkeypatch.chdir(project / "docs")
    assert run(["preview", "--split", "dev", "--clips", "3", "--out", "here.png"], debug=False) == 0
    assert written == [(project / "data/simulation/dev", 3, project / "docs/here.png")]
    assert capsys.readouterr().out == "here.png\n"
