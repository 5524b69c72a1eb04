"""Finished cells, one line of a CSV each, and the table of all: what is not finished says so."""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.ablation.cost import Cost
from components.canonical import canonical_json
from components.errors import Phys4dError
from components.files import write_atomically

if TYPE_CHECKING:
    from components.params import Params

EVIDENCE = Path("docs/evidence")
CELLS_FILE = EVIDENCE / "cells.csv"
VIDEOS = ("score", "centroid_error", "chamfer", "permanence", "depth_warp")
HEADS = ("head_foreground_absrel", "head_moving_flow_epe", "head_foreground_iou")  # on true clips; a base has none
METRICS = (*VIDEOS, *HEADS)
PLACE = ("backbone", "replicate", "variant", "split")
FACTS = ("commit", "params", "judge", "seed", "steps", "examples", "sampled", "n")
COLUMNS = (*PLACE, *FACTS, *(f"{name}{end}" for name in METRICS for end in ("", "_low", "_high")))
NOT_RUN = "not run"
ELSEWHERE = {"resources", "pipeline", "promotion", "storage", "cluster"}  # sections that no cell depends on


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training that is measured: a variant of a backbone's training, with one seed, on one split."""

    backbone: str
    replicate: int
    variant: str
    split: str

    @property
    def name(self) -> str:
        """By which its files are called."""
        return f"{self.backbone}-{self.variant}-{self.replicate}-{self.split}"

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of its place."""
        return self.backbone, str(self.replicate), self.variant, self.split


def line_of(
    cell: Cell,
    params: "Params",
    cost: Cost,
    figures: Mapping[str, float],
    *,
    row: str,
    commit: str,
    judge: str,
    best_of: int = 1,
) -> dict[str, str]:
    """The line of a finished cell; figures: `row.metric`, with .low and .high, and .n; judge: what measured it."""
    facts = {
        "commit": commit,
        "params": params_hash(params, best_of=best_of),
        "judge": judge,
        "seed": params.seed,
        "steps": cost.steps,
        "examples": cost.examples,
        "sampled": cost.sampled,
        "n": int(figures[f"{row}.score.n"]),
    }
    measured = {
        f"{name}{column}": f"{figures[f'{row}.{name}{end}']:.6g}" if f"{row}.{name}{end}" in figures else ""
        for name in METRICS
        for column, end in (("", ""), ("_low", ".low"), ("_high", ".high"))
    }
    return {
        **dict(zip(PLACE, cell.key, strict=True)),
        **{name: str(value) for name, value in facts.items()},
        **measured,
    }


def params_hash(params: "Params", *, best_of: int = 1) -> str:
    """What a cell's parameters are known by: those that its training or measurement depends on."""
    values = params.model_dump(mode="json", exclude=ELSEWHERE) | ({"best_of": best_of} if best_of > 1 else {})
    return hashlib.sha256(canonical_json(values).encode()).hexdigest()[:16]


def read_cells(path: Path = CELLS_FILE) -> dict[tuple[str, ...], dict[str, str]]:
    """Finished cells by their place; Phys4dError for a file of other columns."""
    if not path.is_file():
        return {}
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise Phys4dError(f"{path}: columns {reader.fieldnames}, expected {', '.join(COLUMNS)}: move it away")
        return {tuple(line[name] for name in PLACE): line for line in reader}


def write_cells(lines: Iterable[Mapping[str, str]], path: Path = CELLS_FILE) -> None:
    """All finished cells, in the order of their places."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(lines, key=lambda line: tuple(line[name] for name in PLACE)))
    write_atomically(path, stream.getvalue().encode())


def table(
    cells: Sequence[Cell], finished: Mapping[tuple[str, ...], Mapping[str, str]], wanted: Mapping[str, str]
) -> str:
    """A line for each cell: its figures with their intervals, or that it was not run, or with other parameters.

    wanted: by cell's name the hash of its parameters now.
    """
    lines: list[tuple[str, ...]] = [("backbone", "replicate", "variant", "split", "examples", "n", *METRICS)]
    for cell in cells:
        line = finished.get(cell.key)
        if line is None:
            lines.append((*cell.key, "", "", NOT_RUN))
            continue
        shown = [f"{line[name]} [{line[f'{name}_low']}, {line[f'{name}_high']}]" for name in METRICS if line[name]]
        shown += ["-"] * (len(METRICS) - len(shown))  # a base has no heads
        other = () if line["params"] == wanted[cell.name] else ("of other parameters",)
        lines.append((*cell.key, line["examples"], line["n"], *shown, *other))
    widths = [max(len(line[column]) for line in lines if len(line) > column) for column in range(max(map(len, lines)))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=False)).rstrip() for line in lines
    )
