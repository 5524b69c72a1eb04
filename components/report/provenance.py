"""What a page was made from: what dvc.lock recorded of every stage before it.

Everything is read from the project's folder as it is; what was not recorded there is None.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.canonical import canonical_json
from components.recorded import recorded_stages

DATA = "data/"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A stage before the page: what it left, each with the hash that DVC recorded."""

    stage: str
    outs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """lock: sha256 of what dvc.lock says of `made`; data: sha256 of the hashes of all data among it."""

    lock: str | None
    data: str | None
    made: tuple[Made, ...]


def read_provenance(root: Path, *, results: str) -> Provenance:
    """Of the stages that the folder `results` comes from, by dvc.lock; Phys4dError when that is not readable."""
    stages = _before(recorded_stages(root), results)
    made = tuple(Made(stage=name, outs=tuple(_hashes(entry, "outs").items())) for name, entry in stages.items())
    data = [(path, md5) for one in made for path, md5 in one.outs if path.startswith(DATA)]
    return Provenance(
        lock=_sha256(stages) if stages else None,
        data=_sha256(sorted(data)) if data else None,
        made=made,
    )


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


def _sha256(value: object) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
