"""The base that names published weights: its manifest, which holds none, and what it names, loaded."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.backbones.base import Backbone, Codec, TextEncoder
from components.backbones.family import VideoShape, family
from components.backbones.hub import PublishedFiles
from components.canonical import canonical_json
from components.errors import ParametersError, Phys4dError
from components.files import write_atomically
from components.manifest import MANIFEST, Manifest

if TYPE_CHECKING:
    from components.parameters.backbones import BackboneParams


def write_manifest(folder: Path, *, name: str, section: "BackboneParams", video: VideoShape) -> Mapping[str, float]:
    """Write the folder of a base of published weights; the number of files it names. ParametersError without source."""
    if section.source is None:
        raise ParametersError(
            f"backbones.{name}.source: empty, expected a hub id or a folder for size {section.size}: phys4d params "
            "check names one"
        )
    parts = family(name).describe(section.source, section.revision)
    facts = {"parts": {part: asdict(described) for part, described in parts.items()}, "video": asdict(video)}
    manifest = Manifest(backbone=name, size=section.size, stage="base", base=None, parent=None, files={}, facts=facts)
    write_atomically(folder / MANIFEST, canonical_json(asdict(manifest)).encode())
    return {"files": sum(len(described.files) for described in parts.values())}


def load_published(manifest: Manifest) -> tuple[Backbone, Codec, TextEncoder]:
    """What a base's manifest names. Downloaded where need be and held against its sha256s."""
    facts: Mapping[str, Any] = manifest.facts
    try:
        parts = {part: PublishedFiles(**described) for part, described in facts["parts"].items()}
        video = VideoShape(**facts["video"])
    except (KeyError, TypeError, AttributeError) as error:
        raise Phys4dError(
            f"the base's manifest does not name its files as this version does ({error}): run the stage prepare again"
        ) from error
    return family(manifest.backbone).load(parts, video)
