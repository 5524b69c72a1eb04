"""What a page was made from: git's commit, what dvc.lock recorded of every stage before it, and how long each took.

Everything is read from the project's folder as it is; what was not recorded there is None.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.canonical import canonical_json
from components.checkout import EVIDENCE, Checkout, read_checkout
from components.errors import Phys4dError

LOCKFILE = "dvc.lock"  # changes while the graph runs: no change of what is run
RECORDS = Path(".phys4d/run")
DATA = "data/"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A stage before the page: what it left, each with the hash that DVC recorded, and how long its command took."""

    stage: str
    outs: tuple[tuple[str, str], ...]
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """lock: sha256 of what dvc.lock says of `made`; data: sha256 of the hashes of all data among it."""

    checkout: Checkout | None
    lock: str | None
    data: str | None
    made: tuple[Made, ...]

    @property
    def seconds(self) -> float | None:
        """How long all took whose time is known; None when none is."""
        known = [made.seconds for made in self.made if made.seconds is not None]
        return sum(known) if known else None


def read_provenance(root: Path, *, results: str) -> Provenance:
    """Of the stages that the folder `results` comes from, by dvc.lock; Phys4dError when that is not readable."""
    stages = _before(_locked(root), results)
    made = tuple(
        Made(stage=name, outs=tuple(_hashes(entry, "outs").items()), seconds=_seconds(root, name))
        for name, entry in stages.items()
    )
    data = [(path, md5) for one in made for path, md5 in one.outs if path.startswith(DATA)]
    return Provenance(
        checkout=read_checkout(root, aside=(EVIDENCE, LOCKFILE)),
        lock=_sha256(stages) if stages else None,
        data=_sha256(sorted(data)) if data else None,
        made=made,
    )


def _locked(root: Path) -> Mapping[str, Any]:
    path = root / LOCKFILE
    if not path.exists():
        return {}
    try:
        # the fast loader: the file has thousands of lines
        return dict(yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["stages"])
    except (yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        raise Phys4dError(f"{path} cannot be read ({' '.join(str(error).split())}): run dvc repro") from error


def _before(stages: Mapping[str, Any], results: str) -> dict[str, Any]:
    """The stages that `results` comes from, in the file's order."""
    wanted: set[str] = set()
    paths = [results]
    while paths:
        path = Path(paths.pop())
        for name, entry in stages.items():
            outs = [Path(out) for out in _hashes(entry, "outs")]
            if name not in wanted and any(path.is_relative_to(out) or out.is_relative_to(path) for out in outs):
                wanted.add(name)
                paths += _hashes(entry, "deps")
    return {name: entry for name, entry in stages.items() if name in wanted}


def _hashes(entry: Mapping[str, Any], kind: str) -> dict[str, str]:
    found: Sequence[Mapping[str, Any]] = entry.get(kind) or ()
    return {str(one["path"]): str(one.get("md5", "")) for one in found}


def _seconds(root: Path, stage: str) -> float | None:
    """How long the stage's last command took, where it ended well on this machine."""
    try:
        record = json.loads((root / RECORDS / f"{stage}.json").read_text())
        return float(record["seconds"]) if record["code"] == 0 else None
    except (OSError, ValueError, KeyError, TypeError):  # never run here, or by a command of another version
        return None


def _sha256(value: object) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
