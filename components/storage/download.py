"""Fetch an object to a file: what has arrived is kept and gone on from, and the file takes its name when it is whole.

botocore tries again until an answer begins; an answer that breaks off is asked for again here, from where it broke.
"""

import os
import random
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import HTTPClientError, IncompleteReadError

from components.errors import Phys4dError
from components.files import NO_ROOM
from components.storage.client import explained
from components.storage.contents import StoredFile, file_of
from components.storage.place import Place, StorageError

BREAKS = 8  # answers in a row that break off without a byte
LONGEST_WAIT = 20.0  # seconds
CHUNK = 2**20  # bytes
BREAK = (HTTPClientError, IncompleteReadError)


def download(client: Any, place: Place, key: str, target: Path, file: StoredFile, *, unfinished: Path) -> None:  # noqa: ANN401
    """Have `target` hold the object `key`, which must be `file`; what has arrived waits in the file `unfinished`.

    StorageError when the object is shorter or longer, or holds other bytes; `target` is then as it was.
    """
    if target.is_file() and target.stat().st_size == file.size and file_of(target) == file:
        return
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    continued = unfinished.exists()
    try:
        with explained(place, key):
            _receive(client, place, key, unfinished, file)
        if continued and file_of(unfinished) != file:  # what was there was of something else
            unfinished.unlink()
            with explained(place, key):
                _receive(client, place, key, unfinished, file)
        if file_of(unfinished) != file:
            unfinished.unlink()
            raise StorageError(
                f"{place.name(key)}: damaged: its sha256 is not the one it was published with: publish it again"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished.replace(target)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise Phys4dError(
                f"cannot write {target}: {NO_ROOM[error.errno]}; free some room and run the same command again: what "
                "has arrived is kept"
            ) from error
        raise


def read(client: Any, place: Place, key: str) -> bytes:  # noqa: ANN401
    """The content of a small object; MissingObjectError when there is none."""
    with explained(place, key):
        for breaks in range(1, BREAKS + 2):
            try:
                content: bytes = client.get_object(Bucket=place.bucket, Key=key)["Body"].read()
                return content
            except BREAK as error:
                _wait_or_give_up(breaks, place, key, error)
    raise AssertionError("the last break gives up")


def _receive(client: Any, place: Place, key: str, unfinished: Path, file: StoredFile) -> None:  # noqa: ANN401
    """Append to `unfinished` what is missing of an object."""
    _check_size(client, place, key, file)
    unfinished.touch()
    if unfinished.stat().st_size > file.size:
        unfinished.write_bytes(b"")
    breaks = 0
    while (have := unfinished.stat().st_size) < file.size:
        answer = client.get_object(Bucket=place.bucket, Key=key, Range=f"bytes={have}-")
        cause: Exception | None = None
        try:
            _append(answer, unfinished)
        except BREAK as error:
            cause = error
        breaks = 0 if unfinished.stat().st_size > have else breaks + 1
        if cause or breaks:
            _wait_or_give_up(breaks, place, key, cause)


def _check_size(client: Any, place: Place, key: str, file: StoredFile) -> None:  # noqa: ANN401
    size = int(client.head_object(Bucket=place.bucket, Key=key)["ContentLength"])
    if size != file.size:
        raise StorageError(
            f"{place.name(key)}: {size} bytes, expected {file.size}: truncated or replaced; publish it again"
        )


def _append(answer: Any, unfinished: Path) -> None:  # noqa: ANN401
    with unfinished.open("ab" if "ContentRange" in answer else "wb") as out:  # else the server sends the whole
        for chunk in answer["Body"].iter_chunks(CHUNK):
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())


def _wait_or_give_up(breaks: int, place: Place, key: str, cause: Exception | None) -> None:
    if breaks > BREAKS:
        raise StorageError(
            f"{place.name(key)}: the connection broke off {breaks} times in a row without a byte "
            f"({type(cause).__name__}): check the network; the same command goes on from here"
        ) from cause
    time.sleep(random.SystemRandom().uniform(0, min(2.0**breaks, LONGEST_WAIT)))
