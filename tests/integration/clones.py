"""A small project in git and clones of it, each with a DVC cache of its own, that share an S3 bucket alone."""

import os
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from components.cluster.run_folder import RunFolder
from components.storage.store import Storage
from tests.flows.toy import make_toy
from tests.integration.project import PHYS4D, Project
from tests.tracked import make_database

IGNORED = (
    ".phys4d/\n/out/\n/data/\n/models/\n*.attempts\n*.orders\n*.resumed\n__pycache__/\n"
    "/.dvc/cache/\n/.dvc/tmp/\n/.dvc/config.local\n"
)
CONFIG = """\
[core]
    no_scm = True
    remote = phys4d
['remote "phys4d"']
    url = s3://{storage.bucket}/{storage.prefix}/dvc
    endpointurl = {storage.endpoint}
"""
PERSON = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "test")
PERSON |= dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "test@localhost")
FIRST = "components/stages/first.py"


@dataclass(frozen=True)
class Origin:
    """The project as git has it; nothing of it has run."""

    project: Project
    storage: Storage

    def clone(self, name: str) -> Project:
        """A clone, beside the origin."""
        root = self.project.root.with_name(name)
        git(self.project.root, "clone", "--quiet", str(self.project.root), str(root))
        make_database(root)
        return Project(root)

    def commit(self) -> str:
        """Commit all changes; the commit."""
        git(self.project.root, "add", "--all")
        git(self.project.root, "commit", "--quiet", "--message", "a change")
        return git(self.project.root, "rev-parse", "HEAD").strip()

    def pod(self, stage: str, run: str, *, name: str | None = None) -> tuple[Project, subprocess.CompletedProcess[str]]:
        """A pod does a stage of a run in a clone of its own."""
        clone = self.clone(name or f"pod-{secrets.token_hex(4)}")
        return clone, clone.run(*PHYS4D, "pod", stage, "--run", run)

    def folder(self, run: str) -> RunFolder:
        return RunFolder(storage=self.storage, run=run)


def make_origin(root: Path, storage: Storage) -> Origin:
    """The toy graph; its first stage keeps a file when it is stopped, and says so when it finds it again."""
    project = make_toy(root)
    module = (project.root / FIRST).read_text()
    found = '    if (context.work / "kept").exists():\n        Path("first.resumed").touch()\n    if codes:\n'
    waiting = '        if codes[0] == "wait":\n            (context.work / "kept").touch()\n'
    module = module.replace("    if codes:\n", found, 1).replace('        if codes[0] == "wait":\n', waiting, 1)
    (project.root / FIRST).write_text(module)
    return published(project, storage)


def published(project: Project, storage: Storage) -> Origin:
    """A project in git, with its place in the storage."""
    project.set(storage__endpoint=storage.endpoint, storage__bucket=storage.bucket, storage__prefix=storage.prefix)
    (project.root / ".dvc/config").write_text(CONFIG.format(storage=storage))  # what `use_remote` finds right
    (project.root / ".gitignore").write_text(IGNORED)
    git(project.root, "init", "--quiet")
    origin = Origin(project, storage)
    origin.commit()
    return origin


def git(root: Path, *arguments: str) -> str:
    environment = {**os.environ, **PERSON, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
