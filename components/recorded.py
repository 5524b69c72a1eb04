"""What dvc.lock has recorded, read whole: DVC writes it in place, and takes seconds for a large graph."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

from components.errors import ParametersError
from components.locks import TakenError, exclusive

LOCKFILE = Path("dvc.lock")
EMPTY = b"schema: '2.0'\nstages: {}\n"  # before the first stage
DVC_LOCK = Path(".dvc/tmp/lock")  # held by a DVC that writes dvc.lock, or moves data
SETTLED = 1.0  # seconds after which a file that was not touched is not being written


def read_lockfile(root: Path) -> bytes | None:
    """dvc.lock, and never the part of it that a DVC beside this process has written so far; None when there is none."""
    lockfile = root / LOCKFILE
    while lockfile.exists():
        if not (root / DVC_LOCK).exists():
            return lockfile.read_bytes()  # no DVC has worked here yet
        try:
            with exclusive(root / DVC_LOCK, LOCKFILE.name, patience=0.0):
                return lockfile.read_bytes()
        except TakenError:
            touched = lockfile.stat().st_mtime_ns
            content = lockfile.read_bytes()
            if touched == lockfile.stat().st_mtime_ns and touched / 1e9 < time.time() - SETTLED:
                return content  # what that DVC does takes long, and is not the writing of this file
        time.sleep(0.05)
    return None


def recorded_stages(root: Path) -> dict[str, dict[str, Any]]:
    """The entries of dvc.lock by their stages; none before the first; ParametersError when the file is no whole one."""
    content = read_lockfile(root)
    if content is None:
        return {}
    try:
        # the fast loader: the file has thousands of lines
        return dict(yaml.load(content, Loader=yaml.CSafeLoader)["stages"])
    except (yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        message = " ".join(str(error).split())
        raise ParametersError(f"{root / LOCKFILE} cannot be read ({message}): run dvc repro") from error


def recorded_hashes(root: Path, stage: str, kind: Literal["deps", "outs"]) -> dict[str, str]:
    """Hashes by paths, of the last time that `stage` was done; none when it never was."""
    return _hashes(root, recorded_stages(root), stage, kind)


def made_hashes(root: Path, makers: Mapping[str, str]) -> dict[str, str]:
    """Hashes of outs, by their paths, each with the stage that makes it; an out that was never made is left out."""
    stages = recorded_stages(root)
    found = {out: _hashes(root, stages, maker, "outs").get(out) for out, maker in makers.items()}
    return {out: digest for out, digest in found.items() if digest is not None}


def _hashes(root: Path, stages: Mapping[str, Any], stage: str, kind: str) -> dict[str, str]:
    try:
        entries = (stages.get(stage) or {}).get(kind, [])
        return {str(entry["path"]): str(entry["md5"]) for entry in entries}
    except (AttributeError, TypeError, KeyError) as error:
        raise ParametersError(f"{root / LOCKFILE}: {stage} cannot be read ({error}): run dvc repro") from error
