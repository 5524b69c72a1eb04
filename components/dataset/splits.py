"""The splits in a folder, and their clips, read once and verified."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from components.errors import ClipError, ParametersError
from components.index import INDEX_FILE, IndexRow, read_index

SHOWN_DAMAGES = 3  # in full on standard error; the rest is counted


@dataclass(frozen=True, kw_only=True)
class Split:
    """A folder with an index and shards. name: where it lies below the folder that was asked for."""

    name: str
    folder: Path
    rows: tuple[IndexRow, ...]


@dataclass(kw_only=True)
class Damages:
    """What to do with a damaged clip: stop there, or count it and go on."""

    skip: bool
    found: list[ClipError] = field(default_factory=list)

    def meet(self, error: ClipError) -> None:
        """Raise `error`, or note it."""
        if not self.skip:
            raise error
        self.found.append(error)
        if len(self.found) <= SHOWN_DAMAGES:
            sys.stderr.write(f"left out: {error}\n")


def find_splits(folder: Path) -> tuple[Split, ...]:
    """The split in `folder`, or those below it, by name; ParametersError when there is none or no clip in them."""
    if not folder.is_dir():
        raise ParametersError(f"{folder} is not a folder; expected one with {INDEX_FILE} and shards: check the path")
    indices = [folder / INDEX_FILE] if (folder / INDEX_FILE).is_file() else _indices_below(folder)
    if not indices:
        raise ParametersError(
            f"{folder} holds no {INDEX_FILE}, nor does any folder below it; expected a split of simulated clips, such "
            "as data/simulation/test: make one by phys4d stage simulate@test"
        )
    splits = []
    for index in indices:
        below = index.parent.relative_to(folder)
        name = below.as_posix() if below.parts else folder.resolve().name
        splits.append(Split(name=name, folder=index.parent, rows=tuple(read_index(index.parent))))
    if not any(split.rows for split in splits):
        raise ParametersError(f"{folder}: its index has no rows, expected clips: simulate some first")
    return tuple(splits)


def _indices_below(folder: Path) -> list[Path]:
    """Work in progress lies in hidden folders: it is no split."""
    found = folder.rglob(INDEX_FILE)
    return sorted(path for path in found if not any(part[0] == "." for part in path.relative_to(folder).parts))


def located(splits: Sequence[Split]) -> Iterator[tuple[Split, IndexRow]]:
    """Every row with its split, in order."""
    for split in splits:
        for row in split.rows:
            yield split, row


Tick = Callable[[int, int], None]  # (done, in all)
