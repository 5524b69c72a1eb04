"""The headline metrics by category and family of scene: means of the models with 95 % intervals over configurations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import draws, means_of_draws, percentile_interval
from components.evaluation.physics_iq_score import scores
from components.report.catalogue import HEADLINES, MODELS, Metric, Row, metric_of, row_of
from components.report.clips import SCORE, Clips
from components.report.numbers import written

SHOWN = tuple(model for model in MODELS if model != "stage1")  # stage 1's video is the base's
SEED = 0

Array = NDArray[np.float64]
Units = Sequence[Sequence[int]]  # the clips of every configuration


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A model's mean in one kind of scene, with its interval; of a single configuration both ends are the mean.

    place: mean and ends in percent of the chart's width.
    """

    row: Row
    value: float
    low: float
    high: float
    text: str
    place: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Bars:
    """The models in one kind of scene; n: configurations."""

    kind: str
    n: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A metric, kind by kind, on one scale that begins at 0."""

    metric: Metric
    kinds: tuple[Bars, ...]


def charts(clips: Clips, *, resamples: int) -> tuple[Chart, ...]:
    """A chart for each headline metric that was measured."""
    kinds = {kind: _units(clips, members) for kind, members in _kinds(clips).items()}
    found = []
    for metric in map(metric_of, HEADLINES):
        ends = {
            kind: {row: three for row in SHOWN if (three := _mean_and_ends(clips, row, metric.key, units, resamples))}
            for kind, units in kinds.items()
        }
        top = max((value for rows in ends.values() for three in rows.values() for value in three), default=0.0)
        bars = tuple(
            Bars(
                kind=kind, n=len(kinds[kind]), bars=tuple(_bar(row, metric, three, top) for row, three in rows.items())
            )
            for kind, rows in ends.items()
            if rows
        )
        if bars:
            found.append(Chart(metric=metric, kinds=bars))
    return tuple(found)


def _kinds(clips: Clips) -> dict[str, list[int]]:
    """Categories by name, each followed by its families when the index knows more than one; the clips of each."""
    found: dict[str, list[int]] = {}
    for category in sorted({kind.category for kind in clips.kinds}):
        members = [number for number, kind in enumerate(clips.kinds) if kind.category == category]
        found[category] = members
        families = sorted({clips.kinds[number].family for number in members} - {""})
        for family in families if len(families) > 1 else ():
            found[f"{category}: {family}"] = [number for number in members if clips.kinds[number].family == family]
    return found


def _units(clips: Clips, members: Sequence[int]) -> Units:
    units: dict[str, list[int]] = {}
    for number in members:
        units.setdefault(clips.configurations[number], []).append(number)
    return list(units.values())


def _mean_and_ends(
    clips: Clips, row: str, metric: str, units: Units, resamples: int
) -> tuple[float, float, float] | None:
    """Mean and interval over units; a score is a function of the means of its columns, as in the evaluation."""
    values = clips.columns(row) if metric == SCORE else clips.of(row, metric)
    if values is None:
        return None
    means = np.stack([_mean(values[list(unit)]) for unit in units])
    defined = np.isfinite(means).reshape(len(means), -1).all(axis=1)
    if not defined.any():
        return None
    counts = draws(int(defined.sum()), rng=np.random.default_rng(SEED), resamples=resamples)
    if metric == SCORE:
        value, resampled = float(scores(means[defined].mean(axis=0))), scores(counts @ means[defined] / defined.sum())
    else:
        value, resampled = float(means[defined].mean()), means_of_draws(means[defined], counts)
    return (value, *(percentile_interval(resampled) if defined.sum() > 1 else (value, value)))


def _mean(values: Array) -> Array:
    """Mean over the first axis of what is defined; NaN where nothing is."""
    defined = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, values, 0).sum(axis=0) / defined.sum(axis=0), np.float64)


def _bar(row: str, metric: Metric, three: tuple[float, float, float], top: float) -> Bar:
    value, low, high = three
    text = written(value, metric.digits)
    if low != high:
        text += f" [{written(low, metric.digits)}, {written(high, metric.digits)}]"
    mean, start, end = (round(100 * number / top, 2) if top > 0 else 0.0 for number in three)
    return Bar(row=row_of(row), value=value, low=low, high=high, text=text, place=(mean, start, end))
