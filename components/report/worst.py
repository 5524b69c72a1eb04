"""The clips on which the last stage does worst, and why: the metric that is furthest from what the set usually gives.

Worst is the lowest score of a clip alone, of equal ones that with the larger centroid error. How far a metric is from
the usual is its distance from the median clip in units of the interquartile range, on the side of worse.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.report.catalogue import Metric, metric_of
from components.report.clips import SCORE, Clips
from components.report.numbers import written

MANY = 5
MARKED = 0.5  # interquartile ranges beyond the median: below, no metric stands out

CAUSES = {  # metric: what a poor value of it looks like
    "permanence": "Objects vanish: this share of the frames shows what should be seen",
    "centroid_final_error": "Objects end elsewhere: distance of their centres from the true ones in the last frames",
    "centroid_error": "Objects take another way: distance of their centres from the true ones",
    "chamfer": "What moves lies elsewhere in space: distance of its points from the true ones",
    "depth_warp": "Depth jumps along the motion",
    "flow_epe": "Objects move at another speed, or another way: error of their flow",
    "static_flow_epe": "What should rest moves: error of its flow",
    "s_iou": "Motion is in other places: overlap of all that ever moves with the truth",
    "st_iou": "Motion is at other times: overlap of what moves, frame by frame, with the truth",
    "ws_iou": "There is more, or less, motion: overlap of how much moves where with the truth",
    "mse": "The picture differs: squared error of its pixels",
}

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Value:
    """A number on a clip, and how the page writes it."""

    row: str
    metric: Metric
    value: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Cause:
    """The metric that stands out; usual: its median over all clips. None stands out: told is `no single cause`."""

    told: str
    value: Value | None
    usual: str


@dataclass(frozen=True, kw_only=True)
class Worst:
    """One of the worst clips: its score with the first and the last model."""

    clip_id: str
    kind: str
    before: Value | None
    after: Value
    cause: Cause


def worst_clips(clips: Clips, *, first: str, last: str) -> tuple[Worst, ...]:
    """The worst clips of the model `last`, the worst one first; none when its clips have no score."""
    score, error = clips.of(last, SCORE), clips.of(last, "centroid_error")
    if score is None:
        return ()
    far = np.zeros(len(score)) if error is None else np.nan_to_num(error, nan=np.inf)
    order = sorted((n for n in range(len(score)) if np.isfinite(score[n])), key=lambda n: (score[n], -far[n], n))
    return tuple(
        Worst(
            clip_id=clips.clip_ids[number],
            kind=": ".join(filter(None, [clips.kinds[number].category, clips.kinds[number].family])),
            before=_value(clips, first, SCORE, number),
            after=_written(last, metric_of(SCORE), float(score[number])),
            cause=_cause(clips, last, number),
        )
        for number in order[:MANY]
    )


def _cause(clips: Clips, row: str, number: int) -> Cause:
    found = {metric: values for metric in CAUSES if (values := clips.of(row, metric)) is not None}
    distances = {metric: _distance(metric_of(metric), values, number) for metric, values in found.items()}
    furthest = max(distances, key=lambda metric: distances[metric], default="")
    if not furthest or distances[furthest] < MARKED:
        return Cause(told="No single cause: every metric is near its usual value", value=None, usual="")
    metric, values = metric_of(furthest), found[furthest]
    usual = written(float(np.nanmedian(values)), metric.digits)
    return Cause(told=CAUSES[furthest], value=_written(row, metric, float(values[number])), usual=usual)


def _distance(metric: Metric, values: Array, number: int) -> float:
    """Interquartile ranges by which a clip is worse than the median; of a set that hardly varies, its spread counts."""
    if not np.isfinite(values[number]):
        return -np.inf
    low, median, high = np.nanpercentile(values, [25, 50, 75])
    worse = median - values[number] if metric.better == "higher" else values[number] - median
    spread = high - low or float(np.nanstd(values))
    return float(worse / spread) if spread else 0.0


def _value(clips: Clips, row: str, metric: str, number: int) -> Value | None:
    values = clips.of(row, metric)
    defined = values is not None and bool(np.isfinite(values[number]))
    return _written(row, metric_of(metric), float(values[number])) if values is not None and defined else None


def _written(row: str, metric: Metric, value: float) -> Value:
    return Value(row=row, metric=metric, value=value, text=written(value, metric.digits))
