"""The distance of sets under resampling is that of the sets written out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluation.bootstrap import draws
from components.evaluation.consistency.frechet import frechet_distance
from components.evaluation.set_distance import TRUTH, SetFeatures, set_distances

CLIPS, SAMPLES, SIZE = 12, 3, 20


def features(seed: int, *, samples: int = 1, shift: float = 0.0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(shift, 1, (CLIPS, samples, SIZE))


ROWS = {TRUTH: features(0), "base": features(1, samples=SAMPLES, shift=1.0), "copy": features(0)}
UNITS = [[number, number + 1] for number in range(0, CLIPS, 2)]  # two views of a scene


def test_the_figure_and_every_resample_are_the_plain_formula() -> None:
    counts = draws(len(UNITS), rng=np.random.default_rng(0), resamples=7)
    found = set_distances(SetFeatures(name="x", rows=ROWS), UNITS, counts)["base"]
    flat = ROWS["base"].reshape(-1, SIZE)
    assert found.value == pytest.approx(frechet_distance(flat, ROWS[TRUTH][:, 0]))
    expected = []
    for drawn in counts:
        clips = np.array(UNITS).repeat(drawn, axis=0).ravel()
        expected.append(frechet_distance(ROWS["base"][clips].reshape(-1, SIZE), ROWS[TRUTH][clips, 0]))
    spread = np.array(expected) - np.mean(expected)
    np.testing.assert_allclose(found.resampled, found.value + spread, rtol=1e-7)


def test_the_true_set_is_no_distance_from_itself_in_any_resample() -> None:
    counts = draws(len(UNITS), rng=np.random.default_rng(0), resamples=50)
    found = set_distances(SetFeatures(name="x", rows=ROWS), UNITS, counts)
    for row in (TRUTH, "copy"):
        assert found[row].value == pytest.approx(0, abs=1e-9)
        np.testing.assert_allclose(found[row].resampled, 0, atol=1e-9)
    assert found["base"].value > 1


def test_resamples_of_one_video_alone_are_compared_by_their_means() -> None:
    counts = np.eye(len(UNITS), dtype=np.int64) * len(UNITS)
    rows = {TRUTH: np.zeros((CLIPS, 1, 4)), "base": np.ones((CLIPS, 1, 4))}
    found = set_distances(SetFeatures(name="x", rows=rows), UNITS, counts)["base"]
    assert found.value == pytest.approx(4)
    np.testing.assert_allclose(found.resampled, 4)
