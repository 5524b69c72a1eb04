"""Parts of a stage, each made by a command of its own, are what the stage finds."""

from pathlib import Path

import pytest

from components.errors import ExitCode
from tests.integration.project import PHYS4D, make_project

pytestmark = pytest.mark.slow


def test_a_stage_takes_over_what_its_parts_made(tmp_path: Path) -> None:
    changes = {
        "simulation__clips_per_shard": 6,
        "simulation__splits__dev__configurations": {"rigid": 12},
        "resources__processes": 1,
    }
    apart, whole = make_project(tmp_path / "apart", changes), make_project(tmp_path / "whole", changes)
    for part in ("1/2", "2/2"):
        done = apart.run(*PHYS4D, "simulate", "--split", "dev", "--part", part)
        assert done.returncode == 0, done.stderr
        assert "clips_made_now: 12" in done.stdout
    assert not (apart.root / "data/simulation/dev").exists()
    for project, made in ((apart, 0), (whole, 24)):
        done = project.stage("simulate@dev")
        assert done.returncode == 0, done.stderr
        assert f"clips_made_now: {made}" in done.stderr
    assert apart.hashes("data/simulation/dev") == whole.hashes("data/simulation/dev")


def test_what_is_no_part_is_a_wrong_parameter(tmp_path: Path) -> None:
    done = make_project(tmp_path / "project", {}).run(*PHYS4D, "simulate", "--split", "dev", "--part", "3/2")
    assert done.returncode == ExitCode.BAD_PARAMETERS
    assert "--part 3/2: expected I/N" in done.stderr
