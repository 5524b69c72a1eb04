"""metrics.json: means with 95 % intervals of every row, and what one model gains over another on the same scenes.

The unit is the configuration: samples, then views of it, are averaged first. All rows, and all differences, are
resampled by the same draws. A difference is the later row minus the earlier one, over the configurations in which both
are defined; its p is the sign test's. Figures that no configuration defines have n = 0 and nothing else; those that one
alone defines have neither interval nor p.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.errors import ParametersError
from components.evaluation.bootstrap import draws, means_of_draws, percentile_interval, sign_test
from components.evaluation.heads import HEAD_METRICS
from components.evaluation.instruments import JUDGED
from components.evaluation.judge import PHYSICS_IQ_COLUMNS, WORLD_METRICS
from components.evaluation.own import OWN_METRICS, own_row
from components.evaluation.physics_iq_agreement import COLUMNS
from components.evaluation.physics_iq_score import scores
from components.evaluation.set_distance import SetFeatures, set_distances
from components.evaluation.table import Table, nanmean

_VIDEOS = (("base", "stage1"), ("base", "stage2"), ("stage1", "stage2"), ("stage2", "stage3"), ("base", "stage3"))
GAINS = (*_VIDEOS, *((own_row(one), own_row(other)) for one, other in _VIDEOS if one != "base"))  # it has no heads
SCORE = "score"
MEANS = tuple(dict.fromkeys((*WORLD_METRICS, *JUDGED, *COLUMNS, *HEAD_METRICS, *OWN_METRICS)))  # plain means
DIGITS = 8  # significant ones

Array = NDArray[np.float64]


def summarise(table: Table, *, seed: int, resamples: int, gains: Sequence[tuple[str, str]] = GAINS) -> dict[str, float]:
    """`row.metric` and `earlier_to_later.metric`, each with .n, .low and .high, differences with .p.

    gains: (earlier, later) rows that are compared, where the table has both.
    """
    units = _Units(table)
    if units.count < 2:
        raise ParametersError(
            f"simulation.splits: the evaluated split has {units.count} configuration, expected 2 or more: one has no "
            "interval"
        )
    counts = draws(units.count, rng=np.random.default_rng(seed), resamples=resamples)
    figures: dict[str, float] = {}
    for row in table.rows:
        for metric, values in units.metrics(row).items():
            figures |= _figures(f"{row}.{metric}", values.estimate(counts))
    for earlier, later in gains:
        before, after = units.metrics(earlier), units.metrics(later)
        for metric in before.keys() & after.keys():
            gain = _difference(before[metric], after[metric], counts)
            figures |= _figures(f"{earlier}_to_{later}.{metric}", gain)
    if table.features is not None:
        figures |= _distances(table.features, units, counts)
    return dict(sorted(figures.items()))


def _distances(features: SetFeatures, units: "_Units", counts: NDArray[np.int64]) -> dict[str, float]:
    """The sets' distances and their differences; these have no p, as one scene alone has no distance."""
    found = set_distances(features, units.members, counts)
    figures: dict[str, float] = {}
    for row, one in found.items():
        resampled = np.maximum(one.resampled, 0)
        figures |= _figures(f"{row}.{features.name}", Estimate(value=one.value, resampled=resampled, n=units.count))
    for earlier, later in GAINS:
        if earlier in found and later in found:
            before, after = found[earlier], found[later]
            gain = Estimate(
                value=after.value - before.value, resampled=after.resampled - before.resampled, n=units.count
            )
            figures |= _figures(f"{earlier}_to_{later}.{features.name}", gain)
    return figures


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure, what resampling makes of it, and the number of units behind it."""

    value: float
    resampled: Array
    n: int
    p: float | None = None


@dataclass(frozen=True, kw_only=True)
class Values:
    """A metric of one row: values (units,) whose mean is the figure; or columns (units,12) that a score is made of."""

    units: Array

    @property
    def is_score(self) -> bool:
        """Whether the figure is a function of means, not a mean."""
        return self.units.ndim == 2

    @property
    def per_unit(self) -> Array:
        """The figure of each unit alone."""
        return scores(self.units) if self.is_score else self.units

    def estimate(self, counts: NDArray[np.int64]) -> Estimate:
        """The figure over all units, and over every resample."""
        defined = np.isfinite(self.per_unit)
        if self.is_score:
            resampled = scores(counts @ self.units / len(self.units))
            return Estimate(value=float(scores(self.units.mean(axis=0))), resampled=resampled, n=len(self.units))
        value = float(self.units[defined].mean()) if defined.any() else float("nan")
        return Estimate(value=value, resampled=means_of_draws(self.units, counts), n=int(defined.sum()))


class _Units:
    """A table, averaged over samples and views."""

    def __init__(self, table: Table) -> None:
        self._table = table
        names = list(dict.fromkeys(table.configurations))
        self.count = len(names)
        self.members = [
            [number for number, name in enumerate(table.configurations) if name == wanted] for wanted in names
        ]

    def metrics(self, row: str) -> Mapping[str, Values]:
        found = {}
        for metric in MEANS:
            values = self._mean_of_views(row, metric)
            if values is not None:
                found[metric] = Values(units=values)
        columns = [self._mean_of_views(row, metric) for metric in PHYSICS_IQ_COLUMNS]
        defined = [column for column in columns if column is not None]
        if defined:
            found[SCORE] = Values(units=np.stack(defined, axis=-1))
        return found

    def _mean_of_views(self, row: str, metric: str) -> Array | None:
        values = self._table.of_clips(row, metric)
        return None if values is None else np.array([nanmean(values[None, members])[0] for members in self.members])


def _difference(before: Values, after: Values, counts: NDArray[np.int64]) -> Estimate:
    p = sign_test(after.per_unit - before.per_unit)
    if before.is_score:
        one, other = before.estimate(counts), after.estimate(counts)
        return Estimate(value=other.value - one.value, resampled=other.resampled - one.resampled, n=one.n, p=p)
    estimate = Values(units=after.units - before.units).estimate(counts)
    return Estimate(value=estimate.value, resampled=estimate.resampled, n=estimate.n, p=p)


def _figures(name: str, estimate: Estimate) -> dict[str, float]:
    if estimate.n == 0:
        return {f"{name}.n": 0}
    figures = {name: estimate.value}
    if estimate.n >= 2:
        low, high = percentile_interval(estimate.resampled)
        figures |= {f"{name}.low": low, f"{name}.high": high}
        if estimate.p is not None:
            figures[f"{name}.p"] = estimate.p
    return {key: float(f"{value:.{DIGITS}g}") for key, value in figures.items()} | {f"{name}.n": estimate.n}
