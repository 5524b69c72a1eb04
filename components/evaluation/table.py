"""The table everything is computed from: one line for each video of each row, and for what heads say of each true clip.

Legend: C clips, N samples of each.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.heads import HEAD_METRICS
from components.evaluation.judge import METRICS
from components.evaluation.own import OWN_METRICS
from components.evaluation.set_distance import SetFeatures


@dataclass(frozen=True, kw_only=True)
class Table:
    """videos: METRICS (C,N,metrics) of each row, N its own; heads: HEAD_METRICS (C,metrics). NaN: not defined.

    own: OWN_METRICS (C,metrics) of what heads say of their own videos, in rows of their own; features: of the videos,
    None when sets of them are not compared.
    configurations (C,): what the clips of one scene share, the unit of every interval.
    """

    clip_ids: Sequence[str]
    configurations: Sequence[str]
    videos: Mapping[str, NDArray[np.float64]]
    heads: Mapping[str, NDArray[np.float64]]
    own: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    features: SetFeatures | None = None

    @property
    def rows(self) -> list[str]:
        """Names of all rows."""
        return list(dict.fromkeys([*self.videos, *self.heads, *self.own]))

    def of_clips(self, row: str, metric: str) -> NDArray[np.float64] | None:
        """Values (C,) of a metric, averaged over samples; None when the row has no such metric."""
        if metric in METRICS and row in self.videos:
            return nanmean(self.videos[row][..., METRICS.index(metric)])
        if metric in HEAD_METRICS and row in self.heads:
            values = self.heads[row][:, HEAD_METRICS.index(metric)]
            return values if np.isfinite(values).any() else None
        if metric in OWN_METRICS and row in self.own:
            return np.asarray(self.own[row][:, OWN_METRICS.index(metric)], np.float64)
        return None


def nanmean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over the second axis of what is not NaN; NaN where all of it is."""
    defined = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, values, 0).sum(axis=1) / defined.sum(axis=1), np.float64)


def encode_table(table: Table) -> bytes:
    """The table as a Parquet file: the same table gives the same bytes. Lines about heads have no sample."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = pa.schema(
        [
            *[(name, pa.string()) for name in ("row", "clip_id", "configuration")],
            ("sample", pa.int64()),
            *[(name, pa.float64()) for name in dict.fromkeys((*METRICS, *HEAD_METRICS, *OWN_METRICS))],
        ]
    )
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(_lines(table)), schema=names), buffer, compression="zstd")
    return buffer.getvalue()


def _lines(table: Table) -> Iterator[dict[str, Any]]:
    for number, (clip_id, configuration) in enumerate(zip(table.clip_ids, table.configurations, strict=True)):
        for row, videos in table.videos.items():
            for sample, values in enumerate(videos[number]):
                place = {"row": row, "clip_id": clip_id, "configuration": configuration, "sample": sample}
                yield place | _defined(METRICS, values)
        for row, heads in table.heads.items():
            place = {"row": row, "clip_id": clip_id, "configuration": configuration}
            yield place | _defined(HEAD_METRICS, heads[number])
        for row, own in table.own.items():
            place = {"row": row, "clip_id": clip_id, "configuration": configuration, "sample": 0}
            yield place | _defined(OWN_METRICS, own[number])


def _defined(names: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True) if np.isfinite(value)}
