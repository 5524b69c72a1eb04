"""Everything that the contact sheet of a folder of splits says, gathered: each clip is read once and verified."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.dataset.contents import CategorySheet, Charts, FamilyCount, Sheet, SplitLine
from components.dataset.histograms import charts
from components.dataset.leaves import leaves, unit_of
from components.dataset.splits import Damages, Split, Tick, find_splits, located
from components.dataset.thumbnails import Thumbnail, thumbnail
from components.errors import ClipError
from components.index import IndexRow, summary
from components.report.curves import brief
from components.shards import read_clip, read_part
from components.simulation.preview import spread

PICTURES = 5_400_000  # bytes of all thumbnails: base64 makes a third more of them, and the page about 8 MB
MEASURED = {  # columns of the index that are drawn, and their units
    "max_speed": "m/s",
    "max_flow": "px a frame",
    "depth_min": "m",
    "depth_max": "m",
    "moving_share": "of steps",
    "seen_share": "of frames",
    "valid_share": "of pixels",
}


@dataclass(frozen=True, kw_only=True)
class Read:
    """A clip that was read whole. parameters: of the first clip of a configuration; None for the others."""

    split: Split
    row: IndexRow
    parameters: Mapping[str, Any] | None


def gather(folder: Path, *, clips: int, skip_damaged: bool, progress: Tick | None = None) -> Sheet:
    """Read every clip of the splits in `folder`, verify it, and draw `clips` of each category.

    ClipError names the first damaged clip and its shard, unless damaged clips are skipped; those are in no figure.
    """
    splits = find_splits(folder)
    damages = Damages(skip=skip_damaged)
    found = list(_read(splits, damages, progress))
    names = sorted({read.row.category for read in found})
    budget = PICTURES // max(len(names) * clips, 1)
    categories = tuple(
        _category(name, [read for read in found if read.row.category == name], clips, damages, budget) for name in names
    )
    kept = [(split.name, [read.row for read in found if read.split is split]) for split in splits]
    return Sheet(
        folder=str(folder),
        splits=tuple(_split_line(name, rows) for name, rows in kept if rows),
        categories=categories,
        damaged=tuple(str(error) for error in damages.found),
    )


def _read(splits: Sequence[Split], damages: Damages, progress: Tick | None) -> Iterator[Read]:
    total = sum(len(split.rows) for split in splits)
    known: set[str] = set()  # configurations
    for done, (split, row) in enumerate(located(splits), start=1):
        try:
            meta = read_part(split.folder, row.extent, ()).meta
        except ClipError as error:
            damages.meet(error)
        else:
            first = meta.configuration not in known
            known.add(meta.configuration)
            yield Read(split=split, row=row, parameters=meta.parameters if first else None)
        if progress is not None:
            progress(done, total)


def _category(name: str, found: Sequence[Read], clips: int, damages: Damages, budget: int) -> CategorySheet:
    rows = [read.row for read in found]
    by_family: dict[str, list[object]] = defaultdict(list)
    around: list[object] = []
    for read in found:
        if read.parameters is not None:
            by_family[read.row.family].append(read.parameters.get("configuration", {}))
            gravity = {"gravity": read.parameters.get("gravity")}
            camera = {name: read.parameters[name] for name in ("camera", "orbit") if name in read.parameters}
            around.append({**gravity, **read.parameters.get("surroundings", {}), **camera})
    return CategorySheet(
        name=name,
        families=tuple(_family_counts(name, rows)),
        thumbnails=tuple(_thumbnails(found, clips, damages, budget)),
        drawn=tuple(_charts(family, drawn) for family, drawn in sorted(by_family.items())),
        around=_charts("gravity and surroundings", around),
        measured=_measured(rows),
    )


def _thumbnails(found: Sequence[Read], clips: int, damages: Damages, budget: int) -> Iterator[Thumbnail]:
    splits = {id(read.row): read.split for read in found}
    for row in spread([read.row for read in found], clips):
        facts = f"fastest {brief(row.max_speed)} m/s, {brief(row.max_flow)} px a frame"
        facts += " · approximate" if row.approximate else ""
        try:
            clip = read_clip(splits[id(row)].folder, row.extent)
        except ClipError as error:
            damages.meet(error)
            continue
        yield thumbnail(clip, facts=facts, budget=budget)


def _family_counts(category: str, rows: Sequence[IndexRow]) -> Iterable[FamilyCount]:
    for key, counted in summary(rows).items():
        family = key.removeprefix(f"{category}/")
        causes = sorted(counted["rejects"].items(), key=lambda item: (-item[1], item[0]))
        yield FamilyCount(
            family=family,
            configurations=counted["configurations"],
            clips=sum(row.family == family for row in rows),
            rejects=sum(count for _, count in causes),
            causes=tuple(causes),
        )


def _charts(title: str, drawn: Sequence[object]) -> Charts:
    pooled: dict[str, list[float | str]] = defaultdict(list)
    for parameters in drawn:
        for name, value in leaves("", parameters):
            pooled[name].append(value)
    histograms, words, same = charts(pooled, {name: unit_of(name) for name in pooled})
    return Charts(title=title, histograms=histograms, words=words, same=same, alone=len(drawn) == 1)


def _measured(rows: Sequence[IndexRow]) -> Charts:
    columns = {name.replace("_", " "): [float(getattr(row, name)) for row in rows] for name in MEASURED}
    units = {name.replace("_", " "): unit for name, unit in MEASURED.items()}
    histograms, words, same = charts(columns, units)
    return Charts(title="what came of it", histograms=histograms, words=words, same=same, alone=len(rows) == 1)


def _split_line(name: str, rows: Sequence[IndexRow]) -> SplitLine:
    shapes = sorted({f"{row.frames} × {row.height} × {row.width} at {row.fps} fps" for row in rows})
    return SplitLine(
        name=name,
        configurations=len({row.configuration for row in rows}),
        clips=len(rows),
        views=len({row.view for row in rows}),
        takes=len({row.take for row in rows}),
        shape="; ".join(shapes),
        megabytes=sum(row.size for row in rows) / 1e6,
    )
