"""The second project: DVC in it is ended when a signal asks to stop, and its failures are not taken for success."""

from pathlib import Path

import pytest

from components.ablation.workspace import FOLDER, Workspace, open_workspace
from components.errors import Phys4dError, StoppedError
from components.locks import TakenError, exclusive
from tests.integration.project import DVC, Project, make_project


def test_a_request_to_stop_ends_dvc_and_says_that_the_command_goes_on(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="the same command goes on"):
        Workspace(root=tmp_path, stopped=lambda: True)._dvc("--version")


def test_a_failure_names_the_command_and_the_folder(tmp_path: Path) -> None:
    with pytest.raises(Phys4dError, match=r"dvc repro failed in .*: what it printed says why"):
        Workspace(root=tmp_path, stopped=lambda: False)._dvc("repro")


def test_two_commands_do_not_work_in_it_at_once_but_one_may_look(tmp_path: Path) -> None:
    lock = (tmp_path / FOLDER).with_suffix(".lock")
    with exclusive(lock, "another"):
        with pytest.raises(TakenError, match="phys4d ablate, or generalise, is already running as process"):
            open_workspace(tmp_path, lambda: False).__enter__()
        with open_workspace(tmp_path, lambda: False, looking=True) as workspace:
            assert not workspace.root.exists()


def test_what_python_writes_beside_modules_is_no_code_in_it(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    with open_workspace(project.root, lambda: False) as workspace:
        compiled = "components/training/__pycache__/losses.cpython-311.pyc"
        result = Project(workspace.root).run(*DVC, "check-ignore", compiled, "components/training/losses.py")
    assert result.stdout == f"{compiled}\n"
