"""Configurations with both takes: what generated clips are measured against."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.clip import Clip
from components.errors import ClipError
from components.index import IndexRow
from components.shards import Extent, read_clip


@dataclass(frozen=True, kw_only=True)
class TakePlace:
    """Where the two takes of one configuration, seen from one view, lie."""

    folder: Path
    configuration: str
    take1: Extent
    take2: Extent

    def read(self) -> "TakePair":
        """Both clips, verified."""
        return TakePair(take1=read_clip(self.folder, self.take1), take2=read_clip(self.folder, self.take2))


@dataclass(frozen=True, kw_only=True)
class TakePair:
    """Two takes of one configuration seen from one view."""

    take1: Clip
    take2: Clip


def take_places(folder: Path, rows: Sequence[IndexRow]) -> list[TakePlace]:
    """Every configuration and view, in the order of the index; ClipError names one whose second take is missing."""
    by_key = {(row.configuration, row.view, row.take): row for row in rows}
    places = []
    for row in rows:
        if row.take != 0:
            continue
        other = by_key.get((row.configuration, row.view, 1))
        if other is None:
            raise ClipError(f"clip {row.clip_id} in {folder}: has no take 2, expected two takes: set takes: 2")
        takes = {"take1": row.extent, "take2": other.extent}
        places.append(TakePlace(folder=folder, configuration=row.configuration, **takes))
    return places


def scenes_of(places: Sequence[TakePlace]) -> str:
    """What the scenes are known by: the sha256 of their configurations, in their order."""
    return hashlib.sha256("\n".join(place.configuration for place in places).encode()).hexdigest()
