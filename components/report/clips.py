"""per_clip.parquet as the page reads it: what every row measured on every clip, and what kind of scene a clip shows.

Legend: C clips.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.errors import Phys4dError
from components.evaluation.physics_iq_agreement import COLUMNS
from components.evaluation.physics_iq_score import scores

SCORE = "score"
SCORED = tuple(f"{name}{end}" for end in ("", "_take2", "_variance") for name in COLUMNS)  # what a score is made of
KEYS = ("row", "clip_id", "configuration", "sample")

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What kind of scene: family is empty where the split's index does not know the clip."""

    category: str
    family: str


@dataclass(frozen=True, kw_only=True)
class Clips:
    """Values of all rows on the same clips, averaged over samples; NaN where a row has no value.

    values: by row and metric (C,); configurations: what the views of one scene share, the unit of every interval.
    """

    clip_ids: tuple[str, ...]
    configurations: tuple[str, ...]
    kinds: tuple[Kind, ...]
    values: Mapping[str, Mapping[str, Array]]

    def of(self, row: str, metric: str) -> Array | None:
        """Values (C,) of a metric, the score of each clip alone among them; None when the row has none at all."""
        if metric == SCORE:
            columns = self.columns(row)
            return None if columns is None else np.where(np.isfinite(columns).all(axis=1), scores(columns), np.nan)
        values = self.values.get(row, {}).get(metric)
        return values if values is not None and np.isfinite(values).any() else None

    def columns(self, row: str) -> Array | None:
        """The columns (C,12) that a score is made of; None when the row has them not."""
        found = self.values.get(row, {})
        return np.stack([found[name] for name in SCORED], axis=-1) if set(SCORED) <= found.keys() else None


def read_clips(path: Path, families: Mapping[str, str]) -> Clips:
    """The table of an evaluation; families: of clips by their ids. Phys4dError when it is not readable."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        columns = pq.read_table(path).to_pydict()
        rows, clips = (np.array(columns[name], dtype=object) for name in ("row", "clip_id"))
        configurations = dict(zip(columns["clip_id"], columns["configuration"], strict=True))
        metrics = {name: np.array(values, np.float64) for name, values in columns.items() if name not in KEYS}
    except (OSError, pa.ArrowInvalid, KeyError, TypeError, ValueError) as error:
        raise Phys4dError(f"{path}: not readable ({error}): run the stage evaluate again") from error
    ids = tuple(dict.fromkeys(columns["clip_id"]))
    values: dict[str, dict[str, Array]] = {}
    for row in dict.fromkeys(columns["row"]):
        of_row = rows == row
        members = [np.flatnonzero(of_row & (clips == clip)) for clip in ids]
        values[row] = {name: _means(column, members) for name, column in metrics.items()}
    return Clips(
        clip_ids=ids,
        configurations=tuple(configurations[clip] for clip in ids),
        kinds=tuple(Kind(category=category_of(clip), family=families.get(clip, "")) for clip in ids),
        values=values,
    )


def category_of(clip_id: str) -> str:
    """The category that a clip's id names: `test-rigid-000012-v0-t0` is of rigid."""
    parts = clip_id.split("-")
    return parts[1] if len(parts) > 2 else clip_id


def _means(column: Array, members: Sequence[NDArray[np.int64]]) -> Array:
    """Means (C,) over the samples of each clip that have a value; NaN where none has."""
    found = [column[lines][np.isfinite(column[lines])] for lines in members]
    return np.array([values.mean() if values.size else np.nan for values in found])
