"""model.json: what a model's folder holds, each file with its sha256, and which model it was made from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.errors import Phys4dError

MANIFEST = "model.json"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What model.json says.

    base, parent: sha256 of the model.json of either, none of a base; files: sha256 of each; facts: for the reader.
    """

    backbone: str
    size: str
    stage: str
    base: str | None
    parent: str | None
    files: Mapping[str, str]
    facts: Mapping[str, Any]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a model's folder; Phys4dError when there is none."""
    path = folder / MANIFEST
    if not path.is_file():
        raise Phys4dError(f"{path}: not found, expected a model's folder: run dvc repro, or dvc pull")
    try:
        return Manifest(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise Phys4dError(f"{path}: not a model's manifest ({error}): run the stage that makes it again") from error


def verify(folder: Path) -> Manifest:
    """The manifest, after every file was held against it; Phys4dError names the first that differs."""
    manifest = read_manifest(folder)
    found = hashes(folder)
    for name in sorted(set(found) | set(manifest.files)):
        if found.get(name) != manifest.files.get(name):
            raise Phys4dError(
                f"{folder / name}: not the file that {MANIFEST} names: run dvc checkout --force, or fetch the model "
                "again"
            )
    return manifest


def manifest_hash(folder: Path) -> str:
    """sha256 of model.json: the name of a model."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def hashes(folder: Path) -> dict[str, str]:
    """sha256 of every file of a model's folder, the manifest aside."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {str(path.relative_to(folder)): _file_hash(path) for path in files}


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
