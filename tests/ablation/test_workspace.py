"""The second project: DVC in it is ended when a signal asks to stop, and its failures are not taken for success."""

from pathlib import Path

import pytest

from components.ablation.workspace import Workspace
from components.errors import Phys4dError, StoppedError


def test_a_request_to_stop_ends_dvc_and_says_that_the_command_goes_on(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="the same command goes on"):
        Workspace(root=tmp_path, stopped=lambda: True)._dvc("--version")


def test_a_failure_names_the_command_and_the_folder(tmp_path: Path) -> None:
    with pytest.raises(Phys4dError, match=r"dvc repro failed in .*: what it printed says why"):
        Workspace(root=tmp_path, stopped=lambda: False)._dvc("repro")
