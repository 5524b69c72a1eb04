"""What finished variants differ by from what they are compared with: paired by scene and noise, over all their seeds.

The interval is over scenes: each scene's figure is the mean of its samples and of the trainings. It says nothing of how
trainings differ; that say the differences of the single seeds, which stand beside it.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.ablation.cells import EVIDENCE, METRICS, Cell
from components.ablation.variants import Variant
from components.errors import Phys4dError
from components.evaluation.heads import HEAD_METRICS
from components.evaluation.judge import METRICS as COLUMNS
from components.evaluation.summary import summarise
from components.evaluation.table import Table, encode_table
from components.files import write_atomically

CLIPS = EVIDENCE / "cells"  # of every finished cell its clips' figures
DIFFERENCES_FILE, CHART_FILE = EVIDENCE / "differences.csv", EVIDENCE / "differences.png"
HIGHER_IS_BETTER = ("score", "permanence", "head_foreground_iou")
HEADER = ("backbone", "split", "variant", "like", "metric", "n", "seeds", "difference", "low", "high", "of_each_seed")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A variant's figure less that of what it is compared with, of the same scenes, noise and seeds.

    n: scenes; low, high: 95 % over scenes; of_seeds: by replicate, the difference of its own two trainings.
    """

    backbone: str
    split: str
    variant: str
    like: str
    metric: str
    n: int
    value: float
    low: float
    high: float
    of_seeds: Mapping[int, float]

    @property
    def reading(self) -> str:
        """'better' or 'worse' where the interval and all seeds say the same, else 'unclear'."""
        signs = {np.sign(value) for value in (self.low, self.high, *self.of_seeds.values())}
        if len(signs) != 1 or 0 in signs:
            return "unclear"
        return "better" if (self.value > 0) == (self.metric in HIGHER_IS_BETTER) else "worse"

    def line(self) -> dict[str, str]:
        """For the CSV, in which `of_each_seed` is replicate:difference."""
        each = " ".join(f"{number}:{value:+.6g}" for number, value in sorted(self.of_seeds.items()))
        figures = (self.n, len(self.of_seeds), *(f"{one:.6g}" for one in (self.value, self.low, self.high)), each)
        place = (self.backbone, self.split, self.variant, self.like, self.metric)
        return dict(zip(HEADER, map(str, (*place, *figures)), strict=True))


def write_clips(cell: Cell, table: Table, root: Path = Path()) -> None:
    """Keep what comparisons need of a cell."""
    write_atomically(root / CLIPS / f"{cell.name}.parquet", encode_table(table))


def read_clips(cell: Cell, root: Path = Path()) -> Table:
    """A cell's videos; Phys4dError where its file is not of one row, or lacks a sample."""
    path = root / CLIPS / f"{cell.name}.parquet"
    try:
        lines = pq.read_table(path).to_pylist()
    except FileNotFoundError:
        raise Phys4dError(f"{path}: not there, though {cell.name} is finished: git checkout {path}") from None
    videos = [line for line in lines if line["sample"] is not None]
    heads = [line for line in lines if line["sample"] is None]
    clips = {line["clip_id"]: line["configuration"] for line in videos}
    samples = 1 + max((line["sample"] for line in videos), default=-1)
    whole = len(videos) == len(clips) * samples and len(heads) in (0, len(clips))
    if {line["row"] for line in lines} != {cell.variant} or not whole:
        raise Phys4dError(
            f"{path}: {len(videos)} videos of {len(clips)} clips, expected {samples} of each, all of {cell.variant}, "
            f"and {len(heads)} lines of heads, expected {len(clips)} or 0: "
            "remove its line from cells.csv and run it again"
        )
    places = {clip: number for number, clip in enumerate(clips)}
    values = np.full((len(clips), samples, len(COLUMNS)), np.nan)
    read = np.full((len(clips), len(HEAD_METRICS)), np.nan)
    for line in videos:
        values[places[line["clip_id"]], line["sample"]] = _values(line, COLUMNS)
    for line in heads:
        read[places[line["clip_id"]]] = _values(line, HEAD_METRICS)
    return Table(
        clip_ids=list(clips),
        configurations=list(clips.values()),
        videos={cell.variant: values},
        heads={cell.variant: read} if heads else {},
    )


def _values(line: Mapping[str, Any], names: Sequence[str]) -> list[float]:
    return [np.nan if line[name] is None else line[name] for name in names]


def differences(
    finished: Mapping[Cell, str], variants: Mapping[str, Variant], *, seed: int, resamples: int, root: Path = Path()
) -> Iterator[Difference]:
    """Of every variant from what it is like, and from what that is like.

    finished: cells with the judge that measured each; over the replicates of which one judge has measured both.
    """
    places = {(cell.backbone, cell.split, cell.variant, cell.replicate): cell for cell in finished}
    for backbone, split, name in dict.fromkeys(place[:3] for place in places):
        for other in _chain(variants, name):
            pairs = {
                replicate: (like, cell)
                for (*place, replicate), cell in places.items()
                if place == [backbone, split, name]
                and (like := places.get((backbone, split, other, replicate)))
                and finished[like] == finished[cell]
            }
            if pairs:
                yield from _compared(pairs, seed=seed, resamples=resamples, root=root)


def _chain(variants: Mapping[str, Variant], name: str) -> list[str]:
    """What a variant is like, what that one is like, and so on."""
    found: list[str] = []
    like = variants[name].like
    while like is not None and like not in (name, *found):
        found.append(like)
        like = variants[like].like
    return found


def _compared(pairs: Mapping[int, tuple[Cell, Cell]], *, seed: int, resamples: int, root: Path) -> Iterator[Difference]:
    tables = {number: (read_clips(one, root), read_clips(other, root)) for number, (one, other) in pairs.items()}
    together = _paired(list(tables.values()))
    gains = [("before", "after")]
    figures = summarise(together, seed=seed, resamples=resamples, gains=gains)
    alone = {
        number: summarise(_paired([both]), seed=seed, resamples=100, gains=gains) for number, both in tables.items()
    }
    other, cell = next(iter(pairs.values()))
    for metric in METRICS:
        key = f"before_to_after.{metric}"
        if f"{key}.low" in figures:
            yield Difference(
                backbone=cell.backbone,
                split=cell.split,
                variant=cell.variant,
                like=other.variant,
                metric=metric,
                n=int(figures[f"{key}.n"]),
                value=figures[key],
                low=figures[f"{key}.low"],
                high=figures[f"{key}.high"],
                of_seeds={number: one[key] for number, one in alone.items()},
            )


def _paired(tables: Sequence[tuple[Table, Table]]) -> Table:
    """One table of rows before and after, the trainings side by side as samples; all of the same clips."""
    first = tables[0][0]
    for table in (one for pair in tables for one in pair):
        if table.clip_ids != first.clip_ids:
            raise Phys4dError(
                f"{CLIPS}: {next(iter(table.videos))} was measured on other clips than "
                f"{next(iter(first.videos))}: remove its lines from cells.csv and run it again"
            )

    def row(number: int) -> NDArray[np.float64]:
        return np.concatenate([next(iter(pair[number].videos.values())) for pair in tables], axis=1)

    def heads(number: int) -> NDArray[np.float64]:
        return np.asarray(np.mean([next(iter(pair[number].heads.values())) for pair in tables], axis=0), np.float64)

    return Table(
        clip_ids=first.clip_ids,
        configurations=first.configurations,
        videos={"before": row(0), "after": row(1)},
        heads={"before": heads(0), "after": heads(1)} if all(one.heads for pair in tables for one in pair) else {},
    )


def write_differences(found: Sequence[Difference], path: Path = DIFFERENCES_FILE) -> None:
    """All of them, a line each."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(one.line() for one in found)
    write_atomically(path, stream.getvalue().encode())
