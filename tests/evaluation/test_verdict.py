"""The gate passes what is better beyond its interval, and nothing else."""

import pytest

from components.errors import Phys4dError
from components.evaluation.verdict import decide
from components.params import Promotion

PROMOTION = Promotion(
    min_score_gain=10.0,
    min_centroid_gain=2.0,
    min_chamfer_gain=0.0,
    floors={},
    over_champion=[],
    no_regression={},
    sample_steps=4,
    min_motion=0.0,
)
GOOD: dict[str, float | str] = {
    "evaluation.split": "test",
    "base_to_stage3.score": 18.0,
    "base_to_stage3.score.low": 14.0,
    "base_to_stage3.score.high": 22.0,
    "base_to_stage3.centroid_error": -4.0,  # later minus earlier: a smaller error
    "base_to_stage3.centroid_error.low": -5.0,
    "base_to_stage3.centroid_error.high": -3.0,
    "stage2_to_stage3.chamfer": -0.03,
    "stage2_to_stage3.chamfer.low": -0.04,
    "stage2_to_stage3.chamfer.high": -0.02,
}


def test_gains_beyond_their_thresholds_are_promoted() -> None:
    verdict = decide(GOOD, PROMOTION)
    assert verdict.promoted
    assert [check.passed for check in verdict.checks] == [True, True, True]
    assert verdict.text.startswith("promoted: score gain over base +18 points (at least +14)")


def test_errors_and_distances_gain_by_falling() -> None:
    centroid, chamfer = decide(GOOD, PROMOTION).checks[1:]
    assert (centroid.value, centroid.low, centroid.threshold) == (4.0, 3.0, 2.0)
    assert (chamfer.value, chamfer.low, chamfer.threshold) == (0.03, 0.02, 0.0)


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"base_to_stage3.score.low": 9.9}, 0),
        ({"base_to_stage3.score.low": 10.0}, 0),  # the interval must exclude the threshold
        ({"base_to_stage3.centroid_error.high": -1.9}, 1),
        ({"base_to_stage3.centroid_error.high": 3.0, "base_to_stage3.centroid_error": 1.0}, 1),
        ({"stage2_to_stage3.chamfer.high": 0.001}, 2),
        ({"stage2_to_stage3.chamfer.high": 0.0}, 2),
        ({"stage2_to_stage3.chamfer.high": float("nan")}, 2),
    ],
)
def test_one_gain_that_is_not_sure_refuses(change: dict[str, float], failed: int) -> None:
    verdict = decide({**GOOD, **change}, PROMOTION)
    assert not verdict.promoted
    assert [check.passed for check in verdict.checks].index(False) == failed
    assert verdict.text.startswith("not promoted: ")
    assert "\n" not in verdict.text


def test_the_far_end_of_an_interval_does_not_decide() -> None:
    wide = {"base_to_stage3.score.high": 1e3, "base_to_stage3.centroid_error.low": -1e3}
    assert decide({**GOOD, **wide}, PROMOTION).promoted


def test_the_split_for_tuning_promotes_nothing() -> None:
    verdict = decide({**GOOD, "evaluation.split": "dev"}, PROMOTION)
    assert not verdict.promoted
    assert all(check.passed for check in verdict.checks)
    assert "'dev'" in verdict.text


def without(metrics: dict[str, float | str], *keys: str) -> dict[str, float | str]:
    return {key: value for key, value in metrics.items() if key not in keys}


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_gain_without_an_interval_fails_and_its_scenes_are_counted(number: int, n: int) -> None:
    key = ("base_to_stage3.score", "base_to_stage3.centroid_error", "stage2_to_stage3.chamfer")[number]
    metrics = without(GOOD, f"{key}.low", f"{key}.high", *([] if n else [key]))
    verdict = decide({**metrics, f"{key}.n": n}, PROMOTION)
    assert not verdict.promoted
    assert [check.passed for check in verdict.checks].index(False) == number
    assert f"is defined on {('0 scenes', '1 scene')[n]}, needed 2 or more" in verdict.text


def test_an_interval_of_one_scene_promotes_nothing() -> None:
    assert not decide({**GOOD, "base_to_stage3.score.n": 1}, PROMOTION).promoted


def test_an_interval_of_two_scenes_counts() -> None:
    assert decide({**GOOD, "base_to_stage3.score.n": 2}, PROMOTION).promoted


@pytest.mark.parametrize("key", ["base_to_stage3.score", "base_to_stage3.score.low"])
def test_a_figure_of_many_scenes_that_is_not_there_is_named(key: str) -> None:
    with pytest.raises(Phys4dError, match=f"no number {key}:"):
        decide(without({**GOOD, "base_to_stage3.score.n": 9}, key), PROMOTION)


def test_a_figure_that_is_not_there_is_named() -> None:
    metrics = {key: value for key, value in GOOD.items() if key != "stage2_to_stage3.chamfer.high"}
    with pytest.raises(Phys4dError, match=r"stage2_to_stage3\.chamfer\.high"):
        decide(metrics, PROMOTION)
