"""A model from outside beside the project's own: paired differences on the clips that both have.

The own figures were made by the stage evaluate, earlier. They count only when the same instrument made them: split and
scenes must be the same, and the still picture, which no model makes, must be read alike then and now.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.errors import Phys4dError
from components.evaluation.judge import METRICS
from components.evaluation.summary import summarise
from components.evaluation.table import Table

OWN = ("base", "stage3")  # what a model from outside is compared with
STILL = "first_frame"
RELATIVE, ABSOLUTE = 0.02, 0.005  # between two machines' readings of one still picture
FEWEST = 2  # scenes: one has no interval
METRICS_FILE, TABLE_FILE = "metrics.json", "per_clip.parquet"
Rows = Mapping[str, Mapping[str, NDArray[np.float64]]]  # METRICS (N,metrics) by row and clip id


class IncomparableError(Phys4dError):
    """The own figures were not made by this instrument on these scenes; the message goes on from their folder."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Paired differences `base_to_NAME.metric`, and so for OWN; a note says why there are none."""

    figures: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


def compare(table: Table, name: str, own: Path, *, split: str, scenes: str, seed: int, resamples: int) -> Comparison:
    """Row `name` of `table` minus the own rows in the folder `own` that the stage evaluate wrote."""
    try:
        paired = _paired(table, name, _read_rows(own, split=split, scenes=scenes))
    except IncomparableError as error:
        remedy = f"run phys4d stage evaluate@{own.name} for paired differences with {' and '.join(OWN)}"
        return Comparison(note=f"{own} {error}: {remedy}")
    figures = summarise(paired, seed=seed, resamples=resamples, gains=[(row, name) for row in OWN])
    return Comparison(figures={key: value for key, value in figures.items() if key.partition(".")[0] in _pairs(name)})


def _paired(table: Table, name: str, rows: Rows) -> Table:
    """Row `name` and the own rows on the clips that both have; IncomparableError where a still is not read alike."""
    wanted = [rows.get(row, {}) for row in (*OWN, STILL)]
    clips = [number for number, clip_id in enumerate(table.clip_ids) if all(clip_id in row for row in wanted)]
    ids = [table.clip_ids[number] for number in clips]
    configurations = [table.configurations[number] for number in clips]
    if len(set(configurations)) < FEWEST:
        raise IncomparableError(f"has fewer than {FEWEST} scenes in common with {name}")
    still = np.stack([rows[STILL][clip_id] for clip_id in ids])
    if not np.allclose(still, table.videos[STILL][clips], rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True):
        raise IncomparableError("was measured by another judge, or at another size")
    videos = {row: np.stack([rows[row][clip_id] for clip_id in ids]) for row in OWN}
    videos[name] = table.videos[name][clips]
    return Table(clip_ids=ids, configurations=configurations, videos=videos, heads={})


def _pairs(name: str) -> set[str]:
    return {f"{row}_to_{name}" for row in OWN}


def _read_rows(own: Path, *, split: str, scenes: str) -> Rows:
    """The own rows and the still's; IncomparableError where they are missing, damaged, or of something else."""
    import pyarrow.parquet as pq

    if not (own / METRICS_FILE).is_file() or not (own / TABLE_FILE).is_file():
        raise IncomparableError("is not there")
    try:
        facts, table = json.loads((own / METRICS_FILE).read_bytes()), pq.read_table(own / TABLE_FILE)
    except (ValueError, OSError) as error:  # pyarrow's own are of these kinds
        raise IncomparableError(f"cannot be read ({' '.join(str(error).split())})") from error
    if (facts.get("evaluation.split"), facts.get("evaluation.scenes")) != (split, scenes):
        raise IncomparableError(f"was measured on other scenes than the split {split} has now")
    if not set(METRICS) <= set(table.column_names):
        raise IncomparableError("was measured with other metrics")
    found: dict[str, dict[str, list[list[float]]]] = {}
    for line in table.select(["row", "clip_id", "sample", *METRICS]).to_pylist():
        if line["row"] in (*OWN, STILL) and line["sample"] is not None:
            found.setdefault(line["row"], {}).setdefault(line["clip_id"], []).append(_values(line))
    return {row: {clip_id: np.array(values) for clip_id, values in clips.items()} for row, clips in found.items()}


def _values(line: Mapping[str, Any]) -> list[float]:
    return [float("nan") if line[metric] is None else float(line[metric]) for metric in METRICS]
