"""What a version holds, file by file.

version.json       which model it is, how it is used, how it was measured, and the sha256 of every other file
README.md          the model card
artifacts/base     a tiny twin's whole base; of published weights only the manifest that names them
artifacts/stage3   heads, adapters and changed tensors; with the base what `components.model.load_model` takes
MLmodel, ...       what MLflow needs to load it: `components.registry.packaging`
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import manifest
from components.canonical import canonical_json
from components.errors import Phys4dError

if TYPE_CHECKING:
    from components.params import Params

MODELS = Path("models")
VERSION = "version.json"
BASE, VARIANT = "base", "stage3"
ARTIFACTS = Path("artifacts")  # MLflow's own name for a model's files
CHAIN = (VARIANT, "stage2", "stage1", BASE)  # each was made from the next
PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04", b"\x1f\x8b")  # torch.save is a zip file


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The model of a version, by the registered model's name; base, model: sha256 of the model.json of either."""

    name: str
    backbone: str
    size: str
    base: str
    model: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a version's model makes videos: what it was evaluated with."""

    frames: int
    height: int
    width: int
    fps: int
    sampler_steps: int
    noise_level: float

    @classmethod
    def of(cls, params: "Params") -> "Settings":
        """What the parameters say."""
        video = params.video
        return cls(
            frames=video.frames,
            height=video.height,
            width=video.width,
            fps=video.fps,
            sampler_steps=params.evaluation.sampler_steps,
            noise_level=params.heads.noise_level,
        )


@dataclass(frozen=True, kw_only=True)
class Passport:
    """version.json.

    weights: the base's, part by part: source, revision, licence. evaluation: metrics.json as it was at registration.
    artifacts: where the version's files lie. files: sha256 of each, by path.
    """

    contents: Contents
    settings: Settings
    weights: list[dict[str, str]]
    evaluation: Mapping[str, float | str]
    artifacts: str
    files: Mapping[str, str]

    def to_json(self) -> bytes:
        """The file's bytes."""
        return canonical_json(asdict(self)).encode()


def model_name(backbone: str, size: str) -> str:
    """The registered model's name."""
    return f"phys4d-{backbone}-{size}"


def describe(root: Path, backbone: str) -> Contents:
    """The version that the pipeline's model makes; Phys4dError when a file is not what its manifest names."""
    folder = root / MODELS / backbone
    for stage, parent in pairwise(CHAIN):
        if manifest.read_manifest(folder / stage).parent != manifest.manifest_hash(folder / parent):
            raise Phys4dError(f"{folder / stage} was not made from {folder / parent} as it is now: run dvc repro")
    manifest.verify(folder / BASE)
    variant = manifest.verify(folder / VARIANT)
    for part in (BASE, VARIANT):
        refuse_pickles(folder / part)
    return Contents(
        name=model_name(backbone, variant.size),
        backbone=backbone,
        size=variant.size,
        base=manifest.manifest_hash(folder / BASE),
        model=manifest.manifest_hash(folder / VARIANT),
    )


def refuse_pickles(folder: Path) -> None:
    """Phys4dError names a file that is a pickle or may hold one: reading it would run what it says."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            if file.read(4).startswith(PICKLES):
                raise Phys4dError(f"{path}: a pickle or an archive, expected safetensors or text: save it as that")


def file_hashes(folder: Path) -> dict[str, str]:
    """sha256 of every file of a version, version.json aside, by path."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / VERSION):
        with path.open("rb") as file:
            found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def verify(folder: Path, *, sha256: str) -> Passport:
    """What a version's folder holds, whose version.json has this hash; Phys4dError names the first wrong file."""
    path = folder / VERSION
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise Phys4dError(f"{path}: not the file that the registry names: fetch the version again")
    passport = read_passport(folder)
    found = file_hashes(folder)
    for name in sorted(set(found) | set(passport.files)):
        if found.get(name) != passport.files.get(name):
            raise Phys4dError(f"{folder / name}: not the file that {VERSION} names: fetch the version again")
    return passport


def read_passport(folder: Path) -> Passport:
    """version.json of a folder; Phys4dError when another release wrote it."""
    try:
        values: dict[str, Any] = json.loads((folder / VERSION).read_bytes())
        parts = {"contents": Contents(**values["contents"]), "settings": Settings(**values["settings"])}
        return Passport(**(values | parts))
    except (ValueError, TypeError, KeyError) as error:
        raise Phys4dError(
            f"{folder / VERSION}: not as this release writes it ({type(error).__name__}: {error}): register the model "
            "again"
        ) from error
