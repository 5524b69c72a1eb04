"""The percentile bootstrap against what theory says of the mean."""

import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluation.bootstrap import percentile_interval, resampled_means


def interval_of(values: NDArray[np.float64], *, seed: int, resamples: int = 2000) -> tuple[float, float]:
    return percentile_interval(resampled_means(values, rng=np.random.default_rng(seed), resamples=resamples))


def test_interval_of_a_normal_mean_is_close_to_the_formula() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    interval = interval_of(values, seed=2, resamples=4000)
    half = 1.96 * values.std() / np.sqrt(len(values))
    np.testing.assert_allclose(interval, (values.mean() - half, values.mean() + half), atol=0.1 * half)


def test_95_percent_of_intervals_cover_the_true_mean() -> None:
    rng = np.random.default_rng(3)
    intervals = [interval_of(rng.normal(0.0, 1.0, 60), seed=seed, resamples=200) for seed in range(300)]
    covered = np.mean([low < 0 < high for low, high in intervals])
    assert 0.9 < covered < 0.98


def test_the_seed_decides() -> None:
    values = np.arange(20.0)
    first, again, other = (interval_of(values, seed=seed) for seed in (5, 5, 6))
    assert first == again != other


def test_equal_units_have_an_interval_without_width() -> None:
    assert interval_of(np.full(9, 0.25), seed=0) == (0.25, 0.25)


def test_columns_of_a_unit_stay_together() -> None:
    one = np.arange(10.0)
    means = resampled_means(np.stack([one, 2 * one], axis=1), rng=np.random.default_rng(0))
    assert means.shape == (2000, 2)
    np.testing.assert_allclose(means[:, 1], 2 * means[:, 0])


def test_undefined_values_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        interval_of(np.array([1.0, np.nan]), seed=0)


def test_no_units_have_no_means() -> None:
    with pytest.raises(ValueError, match="at least one"):
        resampled_means(np.empty((0, 3)), rng=np.random.default_rng(0))
