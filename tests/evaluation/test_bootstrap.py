"""The percentile bootstrap against what theory says of the mean."""

import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluation.bootstrap import draws, means_of_draws, percentile_interval, resampled_means, sign_test


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


def test_every_draw_has_as_many_units_as_there_are() -> None:
    counts = draws(7, rng=np.random.default_rng(0), resamples=50)
    assert counts.shape == (50, 7)
    assert set(counts.sum(axis=1).tolist()) == {7}


def test_means_of_given_draws_are_those_of_the_units_drawn() -> None:
    counts = np.array([[2, 1, 0], [0, 0, 3], [1, 1, 1]])
    np.testing.assert_allclose(means_of_draws(np.array([1.0, 4.0, 7.0]), counts), [2, 7, 4])


def test_undefined_units_are_left_out_of_every_draw() -> None:
    counts = np.array([[2, 1, 0], [0, 0, 3], [1, 1, 1]])
    np.testing.assert_allclose(means_of_draws(np.array([1.0, 4.0, np.nan]), counts), [2, np.nan, 2.5])


def test_the_interval_of_a_paired_difference_is_close_to_the_formula() -> None:
    """Two rows that share what makes scenes hard: their difference is known far better than either."""
    rng = np.random.default_rng(1)
    scene, gain = rng.normal(10, 5, 300), rng.normal(0.5, 1.0, 300)
    counts = draws(300, rng=np.random.default_rng(2), resamples=4000)
    low, high = percentile_interval(means_of_draws(scene + gain, counts) - means_of_draws(scene, counts))
    half = 1.96 * gain.std() / np.sqrt(300)
    np.testing.assert_allclose((low, high), (gain.mean() - half, gain.mean() + half), atol=0.1 * half)


@pytest.mark.parametrize(
    ("above", "below", "ties", "expected"),
    [
        (10, 0, 0, 2 / 2**10),
        (0, 10, 0, 2 / 2**10),
        (5, 5, 3, 1.0),
        (0, 0, 4, 1.0),
        (8, 2, 0, 112 / 2**10),
    ],
)
def test_the_sign_test_counts_coin_flips(above: int, below: int, ties: int, expected: float) -> None:
    differences = np.concatenate([np.full(above, 0.1), np.full(below, -3.0), np.zeros(ties), [np.nan]])
    assert sign_test(differences) == pytest.approx(expected)
