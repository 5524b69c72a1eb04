"""What a version holds: a model's last stage and its base, as `components.model.load_model` takes them.

version.json   which model it is, and the hashes of the two manifests below, which name every other file
base/          a tiny twin's whole base; of published weights only the manifest that names them
stage3/        heads, adapters and changed tensors
"""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from components import manifest
from components.canonical import canonical_json
from components.errors import Phys4dError

MODELS = Path("models")
VERSION = "version.json"
BASE, VARIANT = "base", "stage3"
CHAIN = (VARIANT, "stage2", "stage1", BASE)  # each was made from the next


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A version by the registered model's name; base, model: sha256 of the model.json of either."""

    name: str
    backbone: str
    size: str
    base: str
    model: str

    def to_json(self) -> bytes:
        """version.json."""
        return canonical_json(asdict(self)).encode()

    @property
    def sha256(self) -> str:
        """The hash of version.json, which all other hashes hang on."""
        return hashlib.sha256(self.to_json()).hexdigest()


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
    return Contents(
        name=model_name(backbone, variant.size),
        backbone=backbone,
        size=variant.size,
        base=manifest.manifest_hash(folder / BASE),
        model=manifest.manifest_hash(folder / VARIANT),
    )


def collect(root: Path, contents: Contents, folder: Path) -> None:
    """Copy a version's files into `folder`."""
    for part in (BASE, VARIANT):
        shutil.copytree(root / MODELS / contents.backbone / part, folder / part)
    (folder / VERSION).write_bytes(contents.to_json())


def verify(folder: Path, *, sha256: str) -> Contents:
    """What a version's folder holds, whose version.json has this hash; Phys4dError names the first wrong file."""
    path = folder / VERSION
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise Phys4dError(f"{path}: not the file that the registry names: fetch the version again")
    contents = Contents(**json.loads(path.read_bytes()))
    for part, expected in ((BASE, contents.base), (VARIANT, contents.model)):
        manifest.verify(folder / part)
        if manifest.manifest_hash(folder / part) != expected:
            raise Phys4dError(f"{folder / part / manifest.MANIFEST}: not what {VERSION} names: fetch the version again")
    return contents
