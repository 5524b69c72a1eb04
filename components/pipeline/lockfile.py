"""dvc.lock, kept from harm: DVC writes it in place, so that a full disk leaves it cut short and everything unknown."""

from pathlib import Path

from components.errors import ParametersError
from components.files import write_atomically
from components.parameters.loader import read_yaml

LOCKFILE = Path("dvc.lock")
COPY = Path(".phys4d/run/dvc.lock")


def keep_lockfile(root: Path) -> None:
    """Keep a copy of a good dvc.lock; put the copy in the place of a damaged one.

    ParametersError when it is damaged and no copy was kept.
    """
    lockfile, copy = root / LOCKFILE, root / COPY
    if not lockfile.exists():
        return
    if _is_whole(lockfile):
        write_atomically(copy, lockfile.read_bytes())
    elif copy.exists():
        write_atomically(lockfile, copy.read_bytes())
    else:
        raise ParametersError(
            f"{lockfile} is damaged (cut short by a full disk?): restore it from git, or delete it; "
            "stages whose results are in DVC's run cache come back without running"
        )


def _is_whole(lockfile: Path) -> bool:
    """Whether every stage has its entry, to the last line's end."""
    try:
        stages = read_yaml(lockfile).get("stages")
    except ParametersError:
        return False
    complete = isinstance(stages, dict) and all(
        isinstance(entry, dict) and "cmd" in entry and "outs" in entry for entry in stages.values()
    )
    return complete and lockfile.read_bytes().endswith(b"\n")
