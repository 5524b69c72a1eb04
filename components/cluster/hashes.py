"""Hashes as DVC writes them into dvc.lock: MD5 of a file's bytes, or of the list of a folder's files.

They name content that DVC hashed on another machine; nothing relies on MD5 to keep anybody out.
"""

import hashlib
import json
from pathlib import Path

CACHE = "__pycache__"  # which .dvcignore leaves out


def dvc_hash(path: Path) -> str:
    """The hash that DVC gives a file or a folder; FileNotFoundError when there is neither."""
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    files = sorted(
        (file.relative_to(path).as_posix(), file)
        for file in path.rglob("*")
        if file.is_file() and CACHE not in file.relative_to(path).parts
    )
    listed = json.dumps([{"md5": dvc_hash(file), "relpath": name} for name, file in files], sort_keys=True)
    return f"{hashlib.md5(listed.encode(), usedforsecurity=False).hexdigest()}.dir"
