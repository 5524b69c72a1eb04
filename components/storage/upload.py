"""Send a file to the storage: in parts when it is large, and only those parts that are not there yet.

Every request carries the MD5 of its content: the server refuses what arrives different. A part that the server lists
with the size and MD5 of ours is there; that is how an interrupted upload goes on.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.errors import Phys4dError
from components.storage.client import STREAMS, explained
from components.storage.contents import StoredFile
from components.storage.parallel import each
from components.storage.place import MissingObjectError, Place, StorageError

PART = 16 * 2**20  # bytes: each stream holds one in memory
MOST_PARTS = 10_000  # of an object, as S3 has it
MEBIBYTE = 2**20


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stretch of a file, and its number from 1."""

    number: int
    start: int
    size: int


def parts_of(size: int) -> list[Part]:
    """Equal parts but for the last; the same size gives the same parts, so that another process can go on."""
    each_one = max(PART, -(-size // MOST_PARTS // MEBIBYTE) * MEBIBYTE)
    starts = range(0, size, each_one)
    return [Part(number=n, start=start, size=min(each_one, size - start)) for n, start in enumerate(starts, 1)]


def upload(client: Any, place: Place, key: str, source: Path, file: StoredFile) -> None:  # noqa: ANN401
    """Have the object `key` hold the file `source`, of which `file` was read before; Phys4dError when it changed.

    An object of that key and size is left alone: the key must name the content.
    """
    with explained(place, key):
        if object_size(client, place, key) == file.size:
            return
        if file.size <= PART:
            content = source.read_bytes()
            if hashlib.sha256(content).hexdigest() != file.sha256:
                raise _changed(source)
            client.put_object(Bucket=place.bucket, Key=key, Body=content, ContentMD5=_md5(content))
        else:
            _upload_parts(client, place, key, source, file)
            if object_size(client, place, key) != file.size:
                raise StorageError(f"{place.name(key)}: not whole after it was sent: run the same command again")


def object_size(client: Any, place: Place, key: str) -> int | None:  # noqa: ANN401
    """Bytes of an object; None when there is none, StorageSetupError when there is no bucket."""
    try:
        with explained(place, key):
            return int(client.head_object(Bucket=place.bucket, Key=key)["ContentLength"])
    except MissingObjectError:
        with explained(place, key):
            _require_bucket(client, place)
        return None


def _require_bucket(client: Any, place: Place) -> None:  # noqa: ANN401
    """A listing says that there is no bucket; HEAD has no words for it."""
    client.list_objects_v2(Bucket=place.bucket, MaxKeys=1)


def _upload_parts(client: Any, place: Place, key: str, source: Path, file: StoredFile) -> None:  # noqa: ANN401
    upload_id = (
        _unfinished(client, place, key) or client.create_multipart_upload(Bucket=place.bucket, Key=key)["UploadId"]
    )
    this = {"Bucket": place.bucket, "Key": key, "UploadId": upload_id}
    there = {part["PartNumber"]: (part["Size"], part["ETag"]) for part in _listed_parts(client, this)}
    before = source.stat()

    def send(part: Part) -> dict[str, object]:
        content = _read(source, part)
        tag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        if there.get(part.number) != (part.size, tag):
            sent = client.upload_part(**this, PartNumber=part.number, Body=content, ContentMD5=_md5(content))
            tag = sent["ETag"]  # another than the MD5 where the server encrypts
        return {"PartNumber": part.number, "ETag": tag}

    parts = each(send, parts_of(file.size), streams=STREAMS)
    after = source.stat()
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or after.st_size != file.size:
        raise _changed(source)
    client.complete_multipart_upload(**this, MultipartUpload={"Parts": parts})


def _unfinished(client: Any, place: Place, key: str) -> str | None:  # noqa: ANN401
    """The newest upload of an object that was begun and not ended."""
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=place.bucket, Prefix=key)
    begun = [one for page in pages for one in page.get("Uploads", []) if one["Key"] == key]
    return max(begun, key=lambda one: one["Initiated"])["UploadId"] if begun else None


def _listed_parts(client: Any, this: dict[str, str]) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for page in client.get_paginator("list_parts").paginate(**this):
        yield from page.get("Parts", [])


def _read(source: Path, part: Part) -> bytes:
    with source.open("rb") as file:
        file.seek(part.start)
        content = file.read(part.size)
    if len(content) != part.size:
        raise _changed(source)
    return content


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _changed(source: Path) -> Phys4dError:
    return Phys4dError(f"{source}: changed while it was being sent: run the command again when it is written")
