"""Frechet distance of each row's set of videos to the true set, resampled by scenes.

A resample of videos repeats some, and a covariance of fewer different videos is farther from any other: the distance of
a resample is too large on average. So resamples give the spread alone, and are moved to have the figure as their mean.
Legend: C clips, N samples of each, D features, U scenes, R resamples, n and m videos.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TRUTH = "truth"
RESAMPLES = 500  # each takes a singular value decomposition


@dataclass(frozen=True, kw_only=True)
class SetFeatures:
    """Features (C,N,D) of the videos of every row and of TRUTH, and what the figure made of them is called."""

    name: str
    rows: Mapping[str, Floats]


@dataclass(frozen=True, kw_only=True)
class SetDistance:
    """The distance, and what resampling makes of it (R,), moved to the same mean: differences may be taken of both."""

    value: float
    resampled: Floats


def set_distances(
    features: SetFeatures, units: Sequence[Sequence[int]], counts: NDArray[np.int64]
) -> dict[str, SetDistance]:
    """The distance of every row; units: the clips of each scene; counts (R,U): how often a resample drew each."""
    unit_of = np.empty(sum(map(len, units)), np.int64)
    for number, members in enumerate(units):
        unit_of[list(members)] = number
    drawn = np.concatenate([np.ones((1, len(units)), np.int64), counts[:RESAMPLES]])[:, unit_of]
    true = _Set.of(features.rows[TRUTH])
    found = {}
    for row, values in features.rows.items():
        apart = _Pair(_Set.of(values), true)
        value, *resampled = (apart.distance(weights) for weights in drawn)
        spread = np.array(resampled)
        found[row] = SetDistance(value=value, resampled=spread - spread.mean() + value)
    return found


@dataclass(frozen=True, kw_only=True)
class _Set:
    """Features (n,D) of videos, and the clip (n,) that each answers."""

    features: Floats
    clips: NDArray[np.int64]

    @classmethod
    def of(cls, values: Floats) -> "_Set":
        clips, samples = values.shape[:2]
        return cls(features=values.reshape(clips * samples, -1), clips=np.arange(clips).repeat(samples))


class _Pair:
    """Two sets whose distance is asked for under many weights.

    tr (S1 S2)^(1/2) is the sum of the singular values of A B^T, with A and B the centred features over the root of
    their number less one: so the matrix is as large as the sets, not as the features.
    """

    def __init__(self, one: _Set, other: _Set) -> None:
        self._one, self._other = one, other
        centre = other.features.mean(axis=0)  # of no effect but to keep the products small
        self._x, self._y = one.features - centre, other.features - centre
        self._cross = self._x @ self._y.T

    def distance(self, weights: NDArray[np.int64]) -> float:
        """Frechet distance where every clip counts `weights` (C,) times."""
        w, v = weights[self._one.clips], weights[self._other.clips]
        here, there = w > 0, v > 0
        w, v, x, y = w[here], v[there], self._x[here], self._y[there]
        mean_x, mean_y = w @ x / w.sum(), v @ y / v.sum()
        spread_x, spread_y = _trace(x - mean_x, w), _trace(y - mean_y, v)
        cross = self._cross[np.ix_(here, there)] - (x @ mean_y)[:, None] - y @ mean_x + mean_x @ mean_y
        scaled = np.sqrt(w / (w.sum() - 1))[:, None] * cross * np.sqrt(v / (v.sum() - 1))
        shared = np.linalg.svd(scaled, compute_uv=False).sum()
        away = mean_x - mean_y
        return max(float(away @ away + spread_x + spread_y - 2 * shared), 0.0)


def _trace(centred: Floats, weights: NDArray[np.int64]) -> float:
    return float(weights @ (centred**2).sum(axis=1) / (weights.sum() - 1))
