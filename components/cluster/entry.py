"""A stage's entry of dvc.lock on its way from the pod that ran the stage to whoever asked for it."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from components.cluster.hashes import dvc_hash
from components.errors import Phys4dError
from components.pipeline.execution import stage_values
from components.pipeline.graph import GraphStage, find_stage
from components.pipeline.order import meet, read_outs
from components.recorded import EMPTY, LOCKFILE, read_lockfile


@dataclass(frozen=True, kw_only=True)
class LockEntry:
    """What DVC recorded of a stage that is done, and the hashes of the outs it read, by their paths."""

    stage: str
    recorded: Mapping[str, Any]
    read: Mapping[str, str]

    def to_yaml(self) -> bytes:
        """The entry in the format of dvc.lock, with what was read beside it."""
        stream = io.BytesIO()
        round_trip().dump({"read": dict(self.read), "stages": {self.stage: self.recorded}}, stream)
        return stream.getvalue()


def round_trip() -> YAML:
    """Reads and writes YAML so that numbers keep their spelling: the same bytes as DVC writes."""
    yaml = YAML()
    yaml.default_flow_style = False
    return yaml


def recorded_entry(root: Path, graph: Mapping[str, GraphStage], name: str) -> LockEntry:
    """The entry of a stage that was just done here."""
    stages = round_trip().load(read_lockfile(root) or EMPTY)["stages"]
    if name not in stages:
        raise Phys4dError(f"{LOCKFILE}: no entry of {name}: run phys4d stage {name}")
    return LockEntry(stage=name, recorded=stages[name], read=read_outs(root, graph, find_stage(graph, name)))


def parse_entry(content: bytes, *, source: str) -> LockEntry:
    """An entry as `to_yaml` wrote it; Phys4dError when it is none."""
    try:
        document = round_trip().load(content)
        ((name, recorded),) = document["stages"].items()
        read = {str(path): str(digest) for path, digest in document["read"].items()}
        return LockEntry(stage=str(name), recorded=dict(recorded), read=read)
    except (YAMLError, TypeError, KeyError, ValueError, AttributeError) as error:
        message = " ".join(str(error).split())
        raise Phys4dError(f"{source}: no entry of dvc.lock ({message}): run the stage again") from error


def disagreements(entry: LockEntry, root: Path, graph: Mapping[str, GraphStage]) -> list[str]:
    """In what an entry differs from the stage as the graph, the files and params.yaml in `root` have it now."""
    stage, recorded = find_stage(graph, entry.stage), entry.recorded
    ours = read_outs(root, graph, stage)
    values, theirs = stage_values(stage, root), recorded.get("params", {}).get("params.yaml", {})
    deps, outs = (
        {str(one["path"]): str(one.get("md5")) for one in recorded.get(kind, [])} for kind in ("deps", "outs")
    )
    return [
        *(["its command"] if recorded.get("cmd") != stage.command else []),
        *(["the list of what it reads"] if set(deps) != {*stage.inputs, *stage.code} else []),
        *(["the list of what it makes"] if set(outs) != set(stage.outs) else []),
        *(out for out in sorted({*ours, *entry.read}) if ours.get(out) != entry.read.get(out)),
        *(out for out in sorted(set(deps) & set(ours)) if deps[out] != entry.read.get(out)),
        *(path for path in sorted(_of_git(deps, graph)) if _hash(root / path) != deps[path]),
        *(f"parameter {key}" for key in sorted({*values, *theirs}) if values.get(key) != theirs.get(key)),
    ]


def _of_git(paths: Iterable[str], graph: Mapping[str, GraphStage]) -> list[str]:
    """Those of `paths` that no stage makes, in whole or in part: code, and files that git has."""
    made = [out for stage in graph.values() for out in stage.outs]
    return [path for path in paths if not any(meet(path, out) for out in made)]


def _hash(path: Path) -> str | None:
    return dvc_hash(path) if path.exists() else None
