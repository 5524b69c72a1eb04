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

from components.parameters.profiles import profile_values
from components.pipeline.locks import exclusive
from tests.dotted import set_fields

SOURCE = Path(__file__).parents[2]
PHYS4D = (sys.executable, "-m", "components")
DVC = (sys.executable, "-m", "dvc")


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
    shutil.copy(SOURCE / "dvc.yaml", root / "dvc.yaml")
    (root / "params.yaml").write_text(yaml.safe_dump(profile_values("smoke"), sort_keys=False))
    project = Project(root.resolve())
    project.set(**(changes or {}))
    assert project.run(*DVC, "init", "--no-scm", "--quiet").returncode == 0
    return project


def finished_smoke(factory: pytest.TempPathFactory, name: str) -> Project:
    """A copy of the smoke project in which all is done: the graph runs once for all who only start from its end."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with exclusive(shared / "smoke.lock", "the smoke project", patience=1800):
        if not (shared / "smoke-done").exists():
            shutil.rmtree(shared / "smoke", ignore_errors=True)
            result = make_project(shared / "smoke").run(*DVC, "repro")
            assert result.returncode == 0, result.stderr
            (shared / "smoke-done").touch()
    root = factory.mktemp(name) / "project"
    shutil.copytree(shared / "smoke", root, symlinks=True)
    return Project(root)


def wait_until(condition: Callable[[], object], *, seconds: float = 120.0, every: float = 0.02) -> None:
    """Wait for a condition of another process; fails the test when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)
