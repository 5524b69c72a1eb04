"""Percentile bootstrap: the 95 % interval that stands beside every mean of the evaluation.

The units that are resampled must be independent: clips, or scenarios when several clips show the same scenario.
Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
PERCENTILES = (2.5, 97.5)


def resampled_means(
    values: NDArray[np.float64], *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """Means over `resamples` draws, with replacement, of the n units along the first axis of `values`.

    `values` is (n,) or (n, columns), the result (resamples,) or (resamples, columns); the columns of a unit stay
    together, so that any function of the means (a ratio, a score) can be resampled.
    """
    n = len(values)
    if n == 0:
        raise ValueError("a bootstrap needs at least one unit, got none")
    if not np.isfinite(values).all():
        raise ValueError("a bootstrap needs finite values; leave undefined units out and say how many they were")
    return np.stack([values[rng.integers(n, size=n)].mean(axis=0) for _ in range(resamples)])


def percentile_interval(samples: NDArray[np.float64]) -> tuple[float, float]:
    """The 2.5 and 97.5 percentiles of resampled statistics (resamples,)."""
    low, high = np.percentile(samples, PERCENTILES)
    return float(low), float(high)
