"""Exports: the clips of a split as the folders and files that other people's programs read; whole, or not there."""

import errno
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.dataset.isaac import export_isaac
from components.dataset.physics_iq import export_physics_iq
from components.dataset.splits import Damages, Split, Tick, find_splits, located
from components.errors import ParametersError, Phys4dError
from components.files import NO_ROOM
from components.index import IndexRow

Export = Callable[[tuple[Split, ...], Path, Damages, Tick], list[IndexRow]]  # of the clips it wrote
FORMATS: Mapping[str, Export] = {"isaac": export_isaac, "physics-iq": export_physics_iq}


@dataclass(frozen=True, kw_only=True)
class Exported:
    """How much was written. configurations_left_out: those of which no clip was."""

    clips: int
    damaged: int
    configurations_left_out: int


def export(folder: Path, *, layout: str, out: Path, skip_damaged: bool = False, progress: Tick) -> Exported:
    """Write the splits in `folder` to the new folder `out` in a layout of FORMATS.

    ClipError names the first damaged clip and its shard, unless damaged clips are skipped. ParametersError for an
    `out` that holds anything. Everything is written beside `out` and takes its name in one step, so a folder of that
    name is whole; what a killed export left is removed by the next one.
    """
    splits = find_splits(folder)
    damages = Damages(skip=skip_damaged)
    with new_export(out) as work:
        written = FORMATS[layout](splits, work, damages, progress)
    found = {row.configuration for _, row in located(splits)}
    return Exported(
        clips=len(written),
        damaged=len(damages.found),
        configurations_left_out=len(found - {row.configuration for row in written}),
    )


@contextmanager
def new_export(out: Path) -> Iterator[Path]:
    """A folder to write in; it becomes `out` when the block ends well, and goes otherwise."""
    target = out.resolve()
    _check_free(out, target)
    work = target.with_name(f".{target.name}.part")  # hidden: nobody takes it for an export
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(parents=True)
        yield work
        if target.exists():
            target.rmdir()  # it is empty
        work.rename(target)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise Phys4dError(
                f"cannot write {out}: {NO_ROOM[error.errno]}; nothing was exported: free some room, or name a folder "
                "on another disk, and run the same command again"
            ) from error
        if error.errno == errno.ENOTEMPTY:
            raise ParametersError(f"--out {out}: somebody else wrote into it meanwhile; name another folder") from error
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check_free(out: Path, target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise ParametersError(f"--out {out} is a file, expected a new folder: name another")
    nearest = next(parent for parent in (target, *target.parents) if parent.exists())
    if not nearest.is_dir():
        raise ParametersError(f"--out {out}: {nearest} is a file, expected a folder")
    if target.exists() and (found := sorted(path.name for path in target.iterdir())):
        raise ParametersError(f"--out {out} already holds {found[0]}; expected a new folder: name another, or empty it")
