"""A project of its own for a test: the real graph, code and profiles, small parameters, no git."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.locks import exclusive
from components.parameters.profiles import profile_values
from tests.dotted import set_fields

SOURCE = Path(__file__).parents[2]
PHYS4D = (sys.executable, "-m", "components")
DVC = (sys.executable, "-m", "dvc")
FINISHED = SOURCE / ".phys4d/cache/smoke"  # a finished smoke project, by the hash of its code
PATIENCE = 1800.0  # seconds that a worker waits for another's run of the graph


@dataclass(frozen=True)
class Project:
    """A folder with a graph, and commands in it."""

    root: Path

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:  # noqa: ANN401 -- Popen's own options
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            **options,
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*command)
        out, err = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def stage(self, name: str) -> subprocess.CompletedProcess[str]:
        return self.run(*PHYS4D, "stage", name)

    def environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        cache = SOURCE / ".phys4d/cache/warp"  # compiled once for all tests
        return {**os.environ, "PATH": path, "WARP_CACHE_PATH": str(cache), "PYTHONPATH": str(self.root)}

    def set(self, **changes: object) -> None:
        """Change dotted fields of params.yaml: `video__frames=9`."""
        values = yaml.safe_load((self.root / "params.yaml").read_text())
        set_fields(values, **changes)
        (self.root / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))

    def hashes(self, folder: str) -> dict[str, str]:
        """sha256 of every file below a folder."""
        return {
            str(path.relative_to(self.root / folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted((self.root / folder).rglob("*"))
            if path.is_file()
        }

    def processes(self) -> list[int]:
        """Processes that work in this project."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (entry / "cwd").readlink() == self.root:
                    found.append(int(entry.name))
            except OSError:  # it ended while we looked, or is not ours
                continue
        return found

    def finished_shards(self) -> list[Path]:
        return sorted((self.root / ".phys4d/progress").glob("*/*/rows/*.parquet"))


def make_project(root: Path, changes: Mapping[str, object] | None = None) -> Project:
    """The smoke profile with changes, in `root`."""
    for name in ("components", "profiles"):
        shutil.copytree(SOURCE / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore"):  # else what Python writes beside its modules would count as code
        shutil.copy(SOURCE / name, root / name)
    (root / "params.yaml").write_text(yaml.safe_dump(profile_values("smoke"), sort_keys=False))
    project = Project(root.resolve())
    project.set(**(changes or {}))
    (root / ".dvc").mkdir()  # as `dvc init --no-scm` leaves it, without a process of its own
    (root / ".dvc/config").write_text("[core]\n    no_scm = True\n")
    return project


def run_smoke(root: Path) -> Project:
    """The smoke project in `root`, in which the whole graph has just run; the slow tests begin with a copy of it."""
    project = make_project(root)
    result = project.run(*DVC, "repro")
    assert result.returncode == 0, result.stderr
    with exclusive(FINISHED.with_suffix(".lock"), "the smoke project", patience=PATIENCE):
        _keep(project)
    return project


def finished_smoke(factory: pytest.TempPathFactory, name: str) -> Project:
    """A copy of a smoke project in which all is done: the graph runs once for all who start from its end."""
    with exclusive(FINISHED.with_suffix(".lock"), "the smoke project", patience=PATIENCE):
        kept = FINISHED / _code()
        if not kept.exists():
            project = make_project(factory.mktemp("smoke"))
            result = project.run(*DVC, "repro")
            assert result.returncode == 0, result.stderr
            _keep(project)
        root = factory.mktemp(name) / "project"
        shutil.copytree(kept, root, symlinks=True)
    return Project(root)


def _keep(project: Project) -> None:
    """In the place of what an older code made, whole or not at all."""
    unfinished = FINISHED.with_suffix(".part")
    for old in (unfinished, FINISHED):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(project.root, unfinished, symlinks=True)
    FINISHED.mkdir()
    unfinished.rename(FINISHED / _code())


def _code() -> str:
    """sha256 of all that decides what the smoke project makes."""
    digest = hashlib.sha256()
    for name in ("components", "profiles", "dvc.yaml", "constraints.txt"):
        files = [SOURCE / name] if (SOURCE / name).is_file() else sorted((SOURCE / name).rglob("*"))
        for path in (one for one in files if one.is_file() and one.parent.name != "__pycache__"):
            digest.update(f"{path.relative_to(SOURCE)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def wait_until(condition: Callable[[], object], *, seconds: float = 300.0, every: float = 0.02) -> None:
    """Wait for a condition of another process; fails the test when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)
