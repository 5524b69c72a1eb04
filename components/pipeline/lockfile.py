"""dvc.lock, kept from harm: DVC writes it in place, so that a full disk leaves it cut short and everything unknown."""

import sys
import time
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from components.errors import ParametersError
from components.files import write_atomically
from components.recorded import LOCKFILE

COPY = Path(".phys4d/run/dvc.lock")
DAMAGED = Path(".phys4d/run/dvc.lock.damaged")
PATIENCE = 1.0  # seconds: a file that another DVC is writing is whole by then, or has changed


def keep_lockfile(root: Path) -> bool:
    """Before a run: mend dvc.lock where it was cut short, and keep a copy of it. Whether there is one.

    ParametersError when it cannot be mended: it holds a conflict of git, or no whole copy was kept.
    """
    lockfile, copy = root / LOCKFILE, root / COPY
    if not lockfile.exists():
        copy.unlink(missing_ok=True)
        return False
    content = _read_whole(lockfile)
    if content is None:
        _put_back(root)
    else:
        write_atomically(copy, content)
    return True


def mend_lockfile(root: Path, *, existed: bool) -> None:
    """After a run that failed: put back the dvc.lock of before, where the run cut it short."""
    if not (root / LOCKFILE).exists() or _read_whole(root / LOCKFILE) is not None:
        return
    if existed:
        _put_back(root)
    else:
        (root / LOCKFILE).unlink()


def _put_back(root: Path) -> None:
    lockfile, copy = root / LOCKFILE, root / COPY
    content = copy.read_bytes() if copy.exists() else b""
    if not _is_whole(content):
        raise ParametersError(
            f"{lockfile} is damaged (cut short by a full disk?): restore it from git, or delete it; "
            "stages whose results are in DVC's run cache come back without running"
        )
    write_atomically(root / DAMAGED, lockfile.read_bytes())
    write_atomically(lockfile, content)
    sys.stderr.write(f"{LOCKFILE} was cut short: its last good copy is back, the damaged one is {DAMAGED}\n")


def _read_whole(lockfile: Path) -> bytes | None:
    """The file; None when it is no whole YAML mapping and nobody is writing it; ParametersError for a conflict."""
    while True:
        before = lockfile.stat()
        content = lockfile.read_bytes()
        if _is_whole(content):
            return content
        if b"<<<<<<<" in content:
            raise ParametersError(f"{lockfile} holds a conflict of git: resolve it, or take one side's file")
        time.sleep(PATIENCE)
        after = lockfile.stat()
        if (before.st_ino, before.st_mtime_ns, before.st_size) == (after.st_ino, after.st_mtime_ns, after.st_size):
            return None


def _is_whole(content: bytes) -> bool:
    try:
        values = YAML(typ="safe", pure=True).load(content)
    except (YAMLError, ValueError, RecursionError):  # such as a date that is none
        return False
    return isinstance(values, dict) and isinstance(values.get("stages"), dict) and content.endswith(b"\n")
