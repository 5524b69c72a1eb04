"""A second project folder, where variants are trained: the same code and cache, other parameters.

DVC runs every stage in it, so what two cells have in common is made once and taken from its cache, and what was
interrupted goes on. A replicate's seed reaches training alone: data, teacher and judge are made with the project's.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from components.errors import Phys4dError, StoppedError
from components.files import write_atomically
from components.locks import exclusive
from components.parameters.loader import PARAMS_FILE
from components.pipeline.graph import GRAPH_FILE, load_graph
from components.recorded import recorded_hashes

if TYPE_CHECKING:
    from components.params import Params

FOLDER = Path(".phys4d/ablation")
COPIED = ("components", "profiles")
IGNORED = Path(".dvcignore")
LOOK_EVERY = 0.5  # seconds between looks at the stop signal
OF_A_MODEL = ("prepare", "encode", "stage1", "stage2", "stage3", "evaluate", "report")
TRAINED = {"base": OF_A_MODEL[:1], "stage2": OF_A_MODEL[:4], "stage3": OF_A_MODEL[:5]}


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """root: absolute. stopped: whether a signal asked to stop: DVC is then ended, and its stage goes on next time."""

    root: Path
    stopped: Callable[[], bool]

    def make_data(self, params: "Params") -> None:
        """Make what no variant changes: clips, labels, the judge."""
        self._write(params)
        graph = load_graph(self.root)
        self._dvc("repro", *(name for name, stage in graph.items() if stage.template not in OF_A_MODEL))

    def judge(self) -> str:
        """What the network that measures is known by: its weights differ from one kind of processor to another."""
        return recorded_hashes(self.root, "depth_net@judge", "outs")["models/depth_nets/judge"][:12]

    def make_split(self, params: "Params", split: str) -> Path:
        """Make the clips of one split, and nothing that follows from them; their folder."""
        self._write(params)
        self._dvc("repro", "--single-item", f"simulate@{split}")
        return self.root / "data/simulation" / split

    def train(self, params: "Params", *, backbone: str, judged: str) -> Path:
        """Train a variant up to the model that is judged; the folder of the backbone's models."""
        self._write(params)
        graph = load_graph(self.root)
        for template in TRAINED[judged]:
            name = f"{template}@{backbone}"
            if name not in graph:
                raise Phys4dError(f"{GRAPH_FILE}: no stage {name}: name {backbone} in pipeline.backbones")
            self._dvc("repro", "--single-item", name)
        return self.root / "models" / backbone

    def _write(self, params: "Params") -> None:
        text = yaml.safe_dump(params.model_dump(mode="json"), sort_keys=False)
        write_atomically(self.root / PARAMS_FILE, text.encode())

    def _dvc(self, *arguments: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(self.root)}
        with subprocess.Popen([sys.executable, "-m", "dvc", *arguments], cwd=self.root, env=environment) as process:
            while process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=LOOK_EVERY)
                if self.stopped():
                    process.terminate()
        if self.stopped():
            raise StoppedError("ablate: stopped; the same command goes on")
        if process.returncode:
            raise Phys4dError(f"dvc {' '.join(arguments)} failed in {self.root}: what it printed says why")


@contextmanager
def open_workspace(project: Path, stopped: Callable[[], bool], *, looking: bool = False) -> Iterator[Workspace]:
    """The workspace of a project, with its code as it is now; TakenError while another command works in it.

    looking: nothing will be run in it, and it stays as it is.
    """
    root = project.resolve() / FOLDER
    if looking:
        yield Workspace(root=root, stopped=stopped)
        return
    with exclusive(root.with_suffix(".lock"), "phys4d ablate, or generalise,", patience=0.0):
        yield _made(project, root, stopped)


def _made(project: Path, root: Path, stopped: Callable[[], bool]) -> Workspace:
    root.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        _mirror(project / name, root / name)
    shutil.copyfile(project / GRAPH_FILE, root / GRAPH_FILE)
    workspace = Workspace(root=root, stopped=stopped)
    if not (root / ".dvc").is_dir():
        workspace._dvc("init", "--no-scm", "--quiet")
    shutil.copyfile(project / IGNORED, root / IGNORED)  # else what Python writes beside modules would count as code
    workspace._dvc("cache", "dir", str(project.resolve() / ".dvc/cache"))
    return workspace


def _mirror(source: Path, target: Path) -> None:
    """Bring a folder of code up to date; files that did not change keep their times, which DVC goes by."""
    wanted = set(_files(source))
    for name in set(_files(target)) - wanted:
        (target / name).unlink()
    for name in wanted:
        content = (source / name).read_bytes()
        if not (target / name).is_file() or (target / name).read_bytes() != content:
            write_atomically(target / name, content)


def _files(folder: Path) -> Iterable[Path]:
    return (
        path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
