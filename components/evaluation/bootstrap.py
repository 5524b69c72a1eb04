"""Percentile bootstrap: the 95 % interval that stands beside every mean of the evaluation; and the sign test.

The units that are resampled must be independent: clips, or scenarios when several clips show the same scenario. Two
rows that were measured on the same units are compared on the same draws: the interval is that of their difference.
Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
PERCENTILES = (2.5, 97.5)


def draws(n: int, *, rng: np.random.Generator, resamples: int = RESAMPLES) -> NDArray[np.int64]:
    """How often each of n units is drawn, with replacement, in each resample: (resamples, n), rows sum to n."""
    if n == 0:
        raise ValueError("a bootstrap needs at least one unit, got none")
    return np.stack([np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(resamples)])


def resampled_means(
    values: NDArray[np.float64], *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """Means over `resamples` draws, with replacement, of the n units along the first axis of `values`.

    `values` is (n,) or (n, columns), the result (resamples,) or (resamples, columns); the columns of a unit stay
    together, so that any function of the means (a ratio, a score) can be resampled.
    """
    counts = draws(len(values), rng=rng, resamples=resamples)
    if not np.isfinite(values).all():
        raise ValueError("a bootstrap needs finite values; leave undefined units out and say how many they were")
    return np.asarray(counts @ values / len(values), np.float64)


def means_of_draws(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Means (resamples,) of `values` (n,) in given `draws`; NaN marks units that have no value and are left out.

    A resample that drew none of the others has no mean: NaN.
    """
    defined = np.isfinite(values)
    drawn = counts[:, defined].sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(counts[:, defined] @ values[defined] / drawn, np.float64)


def percentile_interval(samples: NDArray[np.float64]) -> tuple[float, float]:
    """The 2.5 and 97.5 percentiles of resampled statistics (resamples,)."""
    low, high = np.nanpercentile(samples, PERCENTILES)
    return float(low), float(high)


def sign_test(differences: NDArray[np.float64]) -> float:
    """Two-sided p of as many units above, or below, zero when both are as likely; ties and NaN say nothing."""
    from scipy.stats import binomtest

    above, below = int((differences > 0).sum()), int((differences < 0).sum())
    return float(binomtest(above, above + below).pvalue) if above + below else 1.0
