"""What git says of the project's folder: the commit that is checked out, and whether its files were changed since."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

IMAGE_COMMIT = "PHYS4D_IMAGE_COMMIT"  # environment of an image
RESULTS = ("docs/evidence", "dvc.lock")  # what a run writes: it changes nothing of what is run
MANIFESTS = "k8s/[0-9]*.yaml"  # k8s/set-image.sh writes the image into them: no pod reads them


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """The commit, in full, and whether tracked files differ from it."""

    commit: str
    changed: bool


def read_checkout(root: Path, *, aside: Sequence[str] = RESULTS) -> Checkout | None:
    """The checkout in `root`, changes of the paths `aside` aside; None where git has none, or is not there.

    An image has no git: the commit that it was built from is then in its environment.
    """
    if (built := os.environ.get(IMAGE_COMMIT)) and not (root / ".git").exists():
        return Checkout(commit=built, changed=False)
    without = [f":!{path}" for path in aside]
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "-uno", "--", ".", *without)
    return None if commit is None or changes is None else Checkout(commit=commit, changed=bool(changes))


def checked_out(root: Path) -> str:
    """The commit's first twelve digits, with a + where files differ from it; empty where git has none."""
    found = read_checkout(root)
    return "" if found is None else found.commit[:12] + "+" * found.changed


def is_tracked(root: Path, path: str) -> bool:
    """Whether the commit has files at a path: they are in every clone of it, and in its image."""
    if os.environ.get(IMAGE_COMMIT) and not (root / ".git").exists():
        return (root / path).exists()
    return bool(_git(root, "ls-files", "--", path))


def _git(root: Path, *arguments: str) -> str | None:
    try:
        command = ["git", "-C", str(root), *arguments]
        result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):  # no git, or one that waits for a lock
        return None
    return result.stdout.strip() if result.returncode == 0 else None
