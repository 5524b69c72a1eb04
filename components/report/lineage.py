"""Where a model comes from: model.json of every stage, and whether each names the one before it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.manifest import MANIFEST, manifest_hash, read_manifest
from components.report.catalogue import MODELS, Row, row_of
from components.report.curves import Panel, read_panels


@dataclass(frozen=True, kw_only=True)
class Link:
    """One model of the chain. parent: what its model.json names; unbroken: that is the model before it.

    ended: how its training ended early, empty where it did not.
    """

    row: Row
    size: str
    sha256: str
    parent: str | None
    unbroken: bool
    files: Mapping[str, str]
    facts: tuple[tuple[str, str], ...]
    panels: tuple[Panel, ...]
    ended: str


def read_chain(folder: Path) -> tuple[Link, ...]:
    """The models below `folder` from base to the last stage; Phys4dError when a model.json is not readable."""
    links: list[Link] = []
    for key in MODELS:
        if (folder / key / MANIFEST).is_file():
            links.append(_link(folder / key, before=links[-1] if links else None))
    return tuple(links)


def _link(folder: Path, *, before: Link | None) -> Link:
    manifest = read_manifest(folder)
    return Link(
        row=row_of(folder.name),
        size=manifest.size,
        sha256=manifest_hash(folder),
        parent=manifest.parent,
        unbroken=manifest.parent == (before.sha256 if before else None),
        files=dict(sorted(manifest.files.items())),
        facts=tuple(flattened(manifest.facts)),
        panels=read_panels(folder / "losses.csv"),
        ended=_ended(manifest.facts),
    )


def _ended(facts: Mapping[str, Any]) -> str:
    if facts.get("stopped_by") != "watch":
        return ""
    stopped, kept = (facts.get(name, "unknown") for name in ("stopped_at", "kept_iteration"))
    return f"stopped by the watch at iteration {stopped}, with the policy of iteration {kept}"


def flattened(value: object, prefix: str = "") -> list[tuple[str, str]]:
    """Nested values as dotted names and JSON, in the order they stand."""
    if isinstance(value, Mapping) and value:
        return [item for key, inner in value.items() for item in flattened(inner, f"{prefix}{key}.")]
    if isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(x, Mapping) for x in value):
        return [item for place, inner in enumerate(value) for item in flattened(inner, f"{prefix}{place}.")]
    return [(prefix.rstrip(".") or "value", value if isinstance(value, str) else json.dumps(value))]
