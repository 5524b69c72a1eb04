"""dvc.lock, kept from harm: DVC writes it in place, so that a full disk leaves it cut short and everything unknown."""

import sys
import time
from pathlib import Path

from components.errors import ParametersError
from components.files import write_atomically
from components.parameters.loader import read_yaml

LOCKFILE = Path("dvc.lock")
COPY = Path(".phys4d/run/dvc.lock")
DAMAGED = Path(".phys4d/run/dvc.lock.damaged")
PATIENCE = 1.0  # seconds: a file that another DVC is writing is whole by then, or has changed


def keep_lockfile(root: Path) -> bool:
    """Before a run: mend dvc.lock where it was cut short, and keep a copy of it. Whether there is one.

    ParametersError when it cannot be mended: it holds a conflict of git, or no copy was kept.
    """
    lockfile, copy = root / LOCKFILE, root / COPY
    if not lockfile.exists():
        copy.unlink(missing_ok=True)
        return False
    if _is_cut_short(lockfile):
        if not copy.exists():
            raise ParametersError(
                f"{lockfile} is damaged (cut short by a full disk?): restore it from git, or delete it; "
                "stages whose results are in DVC's run cache come back without running"
            )
        _put_back(root)
    write_atomically(copy, lockfile.read_bytes())
    return True


def mend_lockfile(root: Path, *, existed: bool) -> None:
    """After a run that failed: put back the dvc.lock of before, where the run cut it short."""
    if not (root / LOCKFILE).exists() or not _is_cut_short(root / LOCKFILE):
        return
    if existed:
        _put_back(root)
    else:
        (root / LOCKFILE).unlink()


def _put_back(root: Path) -> None:
    write_atomically(root / DAMAGED, (root / LOCKFILE).read_bytes())
    write_atomically(root / LOCKFILE, (root / COPY).read_bytes())
    sys.stderr.write(f"{LOCKFILE} was cut short: its last good copy is back, the damaged one is {DAMAGED}\n")


def _is_cut_short(lockfile: Path) -> bool:
    """Whether the file is no whole YAML mapping and nobody is writing it; ParametersError for a conflict of git."""
    while not _is_whole(lockfile):
        before = lockfile.stat()
        if b"<<<<<<<" in lockfile.read_bytes():
            raise ParametersError(f"{lockfile} holds a conflict of git: resolve it, or take one side's file")
        time.sleep(PATIENCE)
        after = lockfile.stat()
        if (before.st_ino, before.st_mtime_ns, before.st_size) == (after.st_ino, after.st_mtime_ns, after.st_size):
            return True
    return False


def _is_whole(lockfile: Path) -> bool:
    try:
        return isinstance(read_yaml(lockfile).get("stages"), dict) and lockfile.read_bytes().endswith(b"\n")
    except ParametersError:
        return False
