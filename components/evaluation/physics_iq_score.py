"""Physics-IQ of measured cases: the columns of a case, the benchmark's score of a set of them, and its intervals.

The numbers are those of the benchmark's public code, its roundings included.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import RESAMPLES, percentile_interval, resampled_means
from components.evaluation.physics_iq_agreement import COLUMNS, Agreement

VARIANCE_DECIMALS = (4, 5, 4, 4)  # of st_iou, s_iou, ws_iou and mse between the takes


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqCase:
    """One generated clip against the two real takes of one view of one scenario."""

    scenario: str
    view: str
    take1: Agreement  # generated and take 1: this is what is scored
    take2: Agreement  # generated and take 2
    variance: Agreement  # take 1 and take 2: how much reality differs from itself

    @property
    def score(self) -> float:
        """The benchmark's formula on this case alone, 0 to 100."""
        return float(scores(self.columns()))

    def columns(self) -> NDArray[np.float64]:
        """The columns (12,) of generated and take 1, generated and take 2, take 1 and take 2."""
        return np.array([*astuple(self.take1), *astuple(self.take2), *astuple(self.variance)])


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqScore:
    """The score of a set of cases, 0 to 100, with the means it comes from."""

    score: float
    take1: Agreement
    take2: Agreement
    variance: Agreement  # rounded as the benchmark rounds it before it divides
    n: int  # cases, that is generated clips
    scenarios: int
    interval: tuple[float, float] | None  # 95 %, over scenarios; None for one scenario: its spread is unknown
    take1_interval: tuple[Agreement, Agreement] | None  # likewise of the columns, each by itself: lower, upper ends

    def to_json(self) -> dict[str, object]:
        """The score, its columns by name, n and the intervals."""
        columns = {name: getattr(self.take1, name) for name in COLUMNS}
        columns |= {f"{name}_take2": getattr(self.take2, name) for name in COLUMNS}
        columns |= {f"{name}_variance": getattr(self.variance, name) for name in COLUMNS}
        intervals = None
        if self.take1_interval is not None:
            low, high = self.take1_interval
            intervals = {name: [getattr(low, name), getattr(high, name)] for name in COLUMNS}
        return {
            "score": self.score,
            "columns": columns,
            "n": self.n,
            "scenarios": self.scenarios,
            "interval": None if self.interval is None else list(self.interval),
            "column_intervals": intervals,
        }


def aggregate(cases: Sequence[PhysicsIqCase], *, seed: int = 0, resamples: int = RESAMPLES) -> PhysicsIqScore:
    """The benchmark's score: means over views and scenarios first, then the formula, rounded to 2 decimals.

    A ratio to takes that do not agree at all (0 of 0) counts 0: nothing was shown. `seed` and `resamples` are the
    bootstrap's.
    """
    if not cases:
        raise ValueError("a Physics-IQ score needs at least one case, got none")
    names = sorted({case.scenario for case in cases})
    table = np.stack([np.mean([case.columns() for case in cases if case.scenario == name], axis=0) for name in names])
    interval = take1_interval = None
    if len(names) > 1:
        drawn = resampled_means(table, rng=np.random.default_rng(seed), resamples=resamples)
        interval = percentile_interval(scores(drawn))
        ends = np.array([percentile_interval(column) for column in drawn[:, : len(COLUMNS)].T])
        take1_interval = (_agreement(ends[:, 0]), _agreement(ends[:, 1]))
    means = table.mean(axis=0)
    return PhysicsIqScore(
        score=float(scores(means)),
        take1=_agreement(means[:4]),
        take2=_agreement(means[4:8]),
        variance=_agreement(_rounded_variance(means[8:])),
        n=len(cases),
        scenarios=len(names),
        interval=interval,
        take1_interval=take1_interval,
    )


def scores(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """100 (mean of the IoUs over those of the takes - excess MSE), cut to 0..100, of columns (..., 12)."""
    ious, mse = columns[..., :3], columns[..., 3]
    variance = _rounded_variance(columns[..., 8:])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(ious == 0, 0.0, ious / variance[..., :3])
    found: NDArray[np.float64] = 100 * (ratios.mean(axis=-1) - (mse - variance[..., 3]))
    return found.clip(0, 100).round(2)


def _agreement(means: NDArray[np.float64]) -> Agreement:
    return Agreement(**dict(zip(COLUMNS, means.tolist(), strict=True)))


def _rounded_variance(variance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.round(variance[..., i], decimals) for i, decimals in enumerate(VARIANCE_DECIMALS)], axis=-1)
