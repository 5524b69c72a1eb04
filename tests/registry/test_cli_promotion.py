"""`phys4d promote` and `phys4d rollback`: exit codes, reasons, and nothing on standard output when refused."""

import json
from pathlib import Path

import pytest

from components.__main__ import run
from components.errors import ExitCode
from components.registry.aliases import aliases_of
from components.registry.versions import registry
from tests.registry.models import NAME, make_metrics, make_model


@pytest.fixture
def root(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (project / "params.yaml").write_bytes(Path("params.yaml").read_bytes())
    (project / "dvc.yaml").write_text("stages: {}\n")
    make_model(project)
    make_metrics(project)
    monkeypatch.chdir(project)
    return project


def test_a_dry_run_says_what_it_would_do_and_does_not(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["promote", "--dry-run", "--json"], debug=False) == ExitCode.DONE
    said = json.loads(capsys.readouterr().out)
    assert (said["name"], said["version"], said["champion"]) == (NAME, None, None)
    assert "not registered yet: promoted: " in said["verdict"]
    with registry(root) as client:
        assert aliases_of(client, NAME) == {}
    assert not (root / "data/promotion").exists()


def test_a_refusal_is_65_with_its_reasons(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_metrics(root, chamfer_gain=-0.03, split="dev")
    for arguments in (["promote", "--dry-run"], ["promote"]):
        assert run(arguments, debug=False) == ExitCode.GATE_REFUSED
        said = capsys.readouterr()
        assert said.out == ""
        *checks, last = said.err.splitlines()
        failed = [line for line in checks if line.startswith("FAILED")]
        assert [line.split(":")[0] for line in failed] == ["FAILED  split", "FAILED  Chamfer gain over stage 2"]
        assert "where 'test' decides; Chamfer gain over stage 2 -0.03 (at least -0.04), needed more than 0" in last


def test_promote_and_roll_back(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["promote"], debug=False) == ExitCode.DONE
    make_model(root, weights="second")
    make_metrics(root, chamfer=0.4)
    assert run(["promote", "--json"], debug=False) == ExitCode.DONE
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["champion"] == 2
    assert run(["rollback", "--backbone", "wan22", "--json"], debug=False) == ExitCode.DONE
    assert json.loads(capsys.readouterr().out) == {"champion": 1}


def test_an_unknown_backbone_is_78(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rollback", "--backbone", "sora"], debug=False) == ExitCode.BAD_PARAMETERS
    assert "params.yaml has no such backbone" in capsys.readouterr().err
