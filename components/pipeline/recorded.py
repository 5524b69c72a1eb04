"""What dvc.lock has recorded: the hashes of what stages read and wrote."""

from pathlib import Path
from typing import Literal

import yaml

from components.errors import ParametersError
from components.pipeline.lockfile import LOCKFILE


def recorded_hashes(root: Path, stage: str, kind: Literal["deps", "outs"]) -> dict[str, str]:
    """Hashes by paths, of the last time that `stage` was done; none when it never was."""
    if not (root / LOCKFILE).exists():
        return {}
    try:
        # the fast loader: the file has thousands of lines
        stages = yaml.load((root / LOCKFILE).read_bytes(), Loader=yaml.CSafeLoader)["stages"]
        return {str(entry["path"]): str(entry["md5"]) for entry in (stages.get(stage) or {}).get(kind, [])}
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise ParametersError(f"{LOCKFILE} cannot be read ({' '.join(str(error).split())}): run dvc repro") from error
