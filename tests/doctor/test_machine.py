"""What the doctor says of a machine: each thing that can be wrong is named, with what to do about it."""

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from components.doctor import machine
from components.doctor.findings import Finding, State
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.params import Params

LAPTOP = parse_params(profile_values("laptop"), source="laptop")
Usage = namedtuple("Usage", "total used free")


def found(root: Path, name: str, params: Params = LAPTOP) -> Finding:
    return next(one for one in machine.look(root, params) if one.name == name)


def test_this_environment_is_as_pinned(tmp_path: Path) -> None:
    shutil.copy("constraints.txt", tmp_path)
    assert found(tmp_path, "python").state is State.GOOD
    packages = found(tmp_path, "packages")
    assert packages.state is State.GOOD, packages.text


def test_a_package_of_another_version_is_named_and_one_that_is_not_here_is_not(tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("numpy==0.1\nno-such-package==1.0\n")
    packages = found(tmp_path, "packages")
    assert packages.state is State.BAD
    assert packages.text.startswith("numpy ")
    assert "pinned 0.1" in packages.text
    assert "no-such-package" not in packages.text
    assert packages.remedy == "pip install -c constraints.txt -e '.[dev]'"


def test_more_threads_than_cores_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    cores = found(tmp_path, "cores")
    assert (cores.state, cores.remedy) == (
        State.BAD,
        "lower resources.processes or resources.threads: 1 at most in all",
    )
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert found(tmp_path, "cores").state is State.GOOD


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - 10**9, 10**9))
    disk = found(tmp_path, "disk")
    assert (disk.state, disk.text) == (State.BAD, "1.00 GB free")
    assert "dvc gc" in disk.remedy


def test_a_driver_that_torch_does_not_see_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 550.54\n")
    tool.chmod(0o755)
    assert found(tmp_path, "accelerator").state is State.NOTE
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    accelerator = found(tmp_path, "accelerator")
    assert accelerator.state is State.BAD
    assert "550.54" in accelerator.remedy


def test_a_folder_without_git_is_a_note(tmp_path: Path) -> None:
    assert found(tmp_path, "git").state is State.NOTE
