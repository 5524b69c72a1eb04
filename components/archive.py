"""Arrays and a description of a clip as one contiguous run of tar members: the same bytes whoever writes them."""

import hashlib
import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from components.errors import ClipError
from components.shards import END_OF_ARCHIVE, SUFFIX, Extent, ShardWriter, _compress, _decompress, _read_extent, remedy

MAKERS = {"videos": "collect_videos", "pseudo_labels": "pseudo_label"}  # the stage that makes a folder's shards


def pack(name: str, arrays: Mapping[str, NDArray[Any]], description: str) -> bytes:
    """The tar members `<name>.<field>.npy.b2` and `<name>.json`, sorted; no times, no owners."""
    members = {f"{name}.{field}{SUFFIX}": _compress(array) for field, array in arrays.items()}
    members[f"{name}.json"] = description.encode()
    buffer = io.BytesIO()
    for member in sorted(members):
        header = tarfile.TarInfo(member)  # mtime, uid and gid are 0 and names empty unless set
        header.size = len(members[member])
        header.mode = 0o644
        buffer.write(header.tobuf(tarfile.USTAR_FORMAT))
        buffer.write(members[member])
        buffer.write(b"\0" * (-header.size % tarfile.BLOCKSIZE))
    return buffer.getvalue()


def append(shard: ShardWriter, name: str, content: bytes) -> Extent:
    """Append what `pack` made to an open shard; where it lies."""
    shard._file.write(content)
    digest = hashlib.sha256(content).hexdigest()
    extent = Extent(clip_id=name, shard=shard._name, offset=shard._offset, size=len(content), sha256=digest)
    shard._offset += len(content)
    return extent


def read(folder: Path, extent: Extent, fields: Sequence[str]) -> tuple[dict[str, NDArray[Any]], str]:
    """Some arrays of a clip and its description, verified; ClipError names the clip, its shard and what to do."""
    name, path = extent.clip_id, folder / extent.shard
    try:
        content = _read_extent(path, extent)
        with tarfile.open(fileobj=io.BytesIO(content + END_OF_ARCHIVE)) as archive:
            bodies = {member.name: archive.extractfile(member) for member in archive}
            wanted = {field: bodies[f"{name}.{field}{SUFFIX}"] for field in fields}
            arrays = {field: _decompress(body.read()) for field, body in wanted.items() if body}
            description = bodies[f"{name}.json"]
            return arrays, description.read().decode() if description else ""
    except ClipError as error:
        raise ClipError(made_by(folder, str(error))) from error
    except (tarfile.TarError, KeyError, ValueError, RuntimeError, EOFError) as error:
        raise ClipError(
            made_by(folder, f"clip {name} in {path}: not readable ({type(error).__name__}: {error}); {remedy(folder)}")
        ) from error


def made_by(folder: Path, message: str) -> str:
    """A message about a shard that names the stage of its folder."""
    return message.replace(f"simulate@{folder.name}", MAKERS.get(folder.name, f"simulate@{folder.name}"))
