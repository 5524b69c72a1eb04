"""Shards: WebDataset tar files of clips, the same bytes whoever writes them.

A clip is one contiguous run of tar members `<clip id>.<field>.npy.b2` (an npy file compressed by blosc2) and
`<clip id>.json`; its checksum is the sha256 of those bytes, so one clip is read and verified without the others.
"""

import hashlib
import io
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import blosc2
import numpy as np
from numpy.typing import NDArray

from components.clip import SPECIFICATION, Clip, ClipMeta, ClipObject, parse_description
from components.errors import ClipError
from components.files import atomic_file

SHARD_NAME = re.compile(r"shard-\d{5,}\.tar")
SUFFIX = ".npy.b2"
END_OF_ARCHIVE = b"\0" * 1024
MAKERS = {"videos": "collect_videos", "pseudo_labels": "pseudo_label"}  # folders of shards that are no split
BLOCK = 1 << 18  # bytes: fixed, because the library's own choice depends on the machine's caches


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Where a clip lies: its shard's file name, the first byte, the number of bytes, and their sha256."""

    clip_id: str
    shard: str
    offset: int
    size: int
    sha256: str


def shard_name(number: int) -> str:
    """File name of shard `number`."""
    return f"shard-{number:05d}.tar"


def remedy(folder: Path) -> str:
    """What to do about a damaged file in a folder of shards: DVC's cached copy may be the same bytes."""
    stage = MAKERS.get(folder.name, f"simulate@{folder.name}")
    return f"run dvc checkout --force, or phys4d stage {stage} --force if its cached copy is bad too"


class ShardWriter:
    """Appends clips to an open shard, one at a time, so that a shard may be larger than memory."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name, self._offset = file, name, 0

    def add(self, clip: Clip) -> Extent:
        """Validate and append a clip; where it lies."""
        return self.append(clip.meta.clip_id, pack_clip(clip))

    def append(self, clip_id: str, content: bytes) -> Extent:
        """Append what `pack` made; where it lies."""
        self._file.write(content)
        extent = Extent(
            clip_id=clip_id,
            shard=self._name,
            offset=self._offset,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        self._offset += len(content)
        return extent


@contextmanager
def new_shard(path: Path) -> Iterator[ShardWriter]:
    """A writer of a new shard; the file appears, whole, when the block ends well, and not at all otherwise."""
    with atomic_file(path) as file:
        yield ShardWriter(file, path.name)
        file.write(END_OF_ARCHIVE)


def read_clip(folder: Path, extent: Extent) -> Clip:
    """One clip, verified against its checksum and the contract; ClipError names the clip and its shard."""
    path = folder / extent.shard
    clip = unpack_clip(_read_extent(path, extent), clip_id=extent.clip_id, source=path)
    try:
        clip.validate()
    except ClipError as error:
        raise ClipError(f"{error}; it lies in shard {path}") from error
    return clip


@dataclass(frozen=True, kw_only=True)
class ClipPart:
    """Some arrays of a clip by name, and its description."""

    arrays: Mapping[str, NDArray[Any]]
    objects: tuple[ClipObject, ...]
    meta: ClipMeta

    @property
    def dynamic(self) -> list[int]:
        """Ids of the objects that may move."""
        return [thing.id for thing in self.objects if thing.dynamic]


def read_part(folder: Path, extent: Extent, names: Sequence[str]) -> ClipPart:
    """Some arrays of a clip, verified against its checksum: what one field costs, not what the clip costs."""
    path = folder / extent.shard
    return _unpack_part(_read_extent(path, extent), names, clip_id=extent.clip_id, source=path)


def verify_shard(path: Path, extents: Iterable[Extent]) -> list[ClipError]:
    """Every damage of a shard: an error for each damaged clip or, where all are whole, for bytes of no clip."""
    damages: list[ClipError] = []
    extents = list(extents)
    for extent in extents:
        try:
            _read_extent(path, extent)
        except ClipError as error:
            damages.append(error)
    return damages or stray_bytes(path, extents)


def stray_bytes(path: Path, extents: Sequence[Extent]) -> list[ClipError]:
    """Errors where the clips of a shard do not follow each other from its first byte to the end of the archive."""
    end = 0
    for extent in sorted(extents, key=lambda extent: extent.offset):
        if extent.offset != end:
            return [
                ClipError(
                    f"clip {extent.clip_id}: begins at byte {extent.offset} of shard {path}, expected {end}, where the "
                    f"clip before it ends; {remedy(path.parent)}"
                )
            ]
        end += extent.size
    with path.open("rb") as file:
        file.seek(end)
        if file.read(len(END_OF_ARCHIVE) + 1) == END_OF_ARCHIVE:
            return []
    return [ClipError(f"{path}: damaged after its last clip, expected the end of a tar archive; {remedy(path.parent)}")]


def pack_clip(clip: Clip) -> bytes:
    """The tar members of a clip."""
    clip.validate()
    return pack(clip.meta.clip_id, clip.arrays(), clip.description())


def unpack_clip(content: bytes, *, clip_id: str, source: Path) -> Clip:
    """The inverse of `pack_clip`; ClipError when the bytes are another clip's, or a member is missing or unreadable."""
    part = _unpack_part(content, tuple(SPECIFICATION), clip_id=clip_id, source=source)
    return Clip(objects=part.objects, meta=part.meta, **part.arrays)


def pack(clip_id: str, arrays: Mapping[str, NDArray[Any]], description: str) -> bytes:
    """Arrays and a description as tar members: names sorted, no times, no owners."""
    members = {f"{clip_id}.{name}{SUFFIX}": _compress(array) for name, array in arrays.items()}
    members[f"{clip_id}.json"] = description.encode()
    buffer = io.BytesIO()
    for name in sorted(members):
        header = tarfile.TarInfo(name)  # mtime, uid and gid are 0 and names empty unless set
        header.size = len(members[name])
        header.mode = 0o644
        buffer.write(header.tobuf(tarfile.USTAR_FORMAT))
        buffer.write(members[name])
        buffer.write(b"\0" * (-header.size % tarfile.BLOCKSIZE))
    return buffer.getvalue()


def unpack(content: bytes, names: Sequence[str], *, clip_id: str, source: Path) -> tuple[dict[str, NDArray[Any]], str]:
    """The inverse of `pack`, for some arrays; ClipError when the bytes are another clip's or not readable."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content + END_OF_ARCHIVE)) as archive:
            members = {member.name: archive.extractfile(member) for member in archive}
            bodies = {name: body.read() for name, body in members.items() if body is not None}
        found = {name.split(".", 1)[0] for name in bodies}
        if found != {clip_id}:
            raise ValueError(f"its place holds {', '.join(sorted(found)) or 'nothing'}")
        arrays = {name: _decompress(bodies[f"{clip_id}.{name}{SUFFIX}"]) for name in names}
        return arrays, bodies[f"{clip_id}.json"].decode()
    except (tarfile.TarError, KeyError, ValueError, RuntimeError, EOFError) as error:
        raise _unreadable(error, clip_id, source) from error


def read_arrays(folder: Path, extent: Extent, names: Sequence[str]) -> tuple[dict[str, NDArray[Any]], str]:
    """Some arrays and the description that `pack` was given, verified against their checksum."""
    path = folder / extent.shard
    return unpack(_read_extent(path, extent), names, clip_id=extent.clip_id, source=path)


def _unpack_part(content: bytes, names: Sequence[str], *, clip_id: str, source: Path) -> ClipPart:
    arrays, description = unpack(content, names, clip_id=clip_id, source=source)
    try:
        objects, meta = parse_description(description)
    except ClipError as error:
        raise _unreadable(error, clip_id, source) from error
    return ClipPart(arrays=arrays, objects=objects, meta=meta)


def _unreadable(error: Exception, clip_id: str, source: Path) -> ClipError:
    reason = f"{type(error).__name__}: {error}"
    return ClipError(f"clip {clip_id} in {source}: not readable ({reason}); {remedy(source.parent)}")


def _read_extent(path: Path, extent: Extent) -> bytes:
    if not path.is_file():
        raise ClipError(
            f"clip {extent.clip_id}: the index names shard {path}, which is not there; {remedy(path.parent)}"
        )
    end = extent.offset + extent.size
    with path.open("rb") as file:
        if (length := file.seek(0, io.SEEK_END)) < end:
            raise ClipError(
                f"clip {extent.clip_id}: shard {path} has {length} bytes, expected at least {end}: "
                f"the shard is cut short; {remedy(path.parent)}"
            )
        file.seek(extent.offset)
        content = file.read(extent.size)
    if hashlib.sha256(content).hexdigest() != extent.sha256:
        raise ClipError(
            f"clip {extent.clip_id}: its bytes in shard {path} do not match the index's checksum: "
            f"the shard is damaged; {remedy(path.parent)}"
        )
    return content


def _compress(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    content: bytes = blosc2.compress2(
        buffer.getvalue(),
        typesize=array.dtype.itemsize,
        codec=blosc2.Codec.ZSTD,
        clevel=5,
        filters=[blosc2.Filter.SHUFFLE],
        blocksize=BLOCK,
        nthreads=1,
    )
    return content


def _decompress(content: bytes) -> NDArray[Any]:
    array: NDArray[Any] = np.load(io.BytesIO(blosc2.decompress2(content, nthreads=1)), allow_pickle=False)
    return array
