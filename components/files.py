"""Files that are either whole or not there."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from components.errors import Phys4dError

PART = ".part"  # ends the name of a file that is being written
NO_ROOM = {errno.ENOSPC: "no space left on the disk", errno.EDQUOT: "disk quota used up", errno.EFBIG: "size limit"}


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A new file under a temporary name; it takes `path` when the block ends well and is removed otherwise.

    A full disk is a Phys4dError that names the file; what was finished before is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}{PART}")  # one writer a file: a killed one's rest is overwritten
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise Phys4dError(
                f"cannot write {path}: {NO_ROOM[error.errno]}; free some room and run the same command again: "
                "what was finished is kept"
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with atomic_file(path) as file:
        file.write(content)


def new_folder(path: Path) -> Path:
    """An empty folder: what a killed process left there, such as a library's temporary file, is removed."""
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)
    return path


def move_folder(source: Path, target: Path) -> None:
    """Move a folder in one step; an old target is replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(target)
    shutil.move(source, target)
