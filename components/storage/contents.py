"""What a published folder holds: every file with its sha256 and its size. An object beside the files, written last."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from components.canonical import canonical_json
from components.errors import Phys4dError

UNFINISHED = ".fetching"  # where a folder keeps what it has of files still under way


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """sha256 and bytes of a file."""

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The files of a folder by their paths below it."""

    files: Mapping[str, StoredFile]

    def to_json(self) -> bytes:
        """The manifest: the same files give the same bytes."""
        return canonical_json({"files": {name: asdict(file) for name, file in self.files.items()}}).encode()


def contents_of(folder: Path) -> Contents:
    """Read every file of a folder; Phys4dError when it holds none, or a link."""
    paths = sorted(path for path in folder.rglob("*") if path.relative_to(folder).parts[0] != UNFINISHED)
    for path in paths:
        if path.is_symlink():
            raise Phys4dError(f"{path}: a link, expected files: put what it points to in its place")
    files = {path.relative_to(folder).as_posix(): file_of(path) for path in paths if path.is_file()}
    if not files:
        raise Phys4dError(f"{folder}: no file to publish: run the command that makes it")
    return Contents(files=files)


def file_of(path: Path) -> StoredFile:
    """sha256 and size of a file as it is now."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return StoredFile(sha256=digest, size=file.tell())


def parse_contents(content: bytes, *, source: str) -> Contents:
    """The manifest in `content`; Phys4dError when it is none, or names a file outside the folder."""
    try:
        files = {
            _inside(name): StoredFile(sha256=str(file["sha256"]), size=int(file["size"]))
            for name, file in json.loads(content)["files"].items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Phys4dError(f"{source}: no manifest of a published folder ({error}): publish it again") from error
    return Contents(files=files)


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or {"..", UNFINISHED} & set(path.parts) or not path.parts:
        raise ValueError(f"a file named {name!r}")
    return name
