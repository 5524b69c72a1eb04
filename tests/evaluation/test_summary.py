"""What stands in metrics.json, from tables whose figures are chosen."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from components.errors import ParametersError
from components.evaluation.heads import HEAD_METRICS
from components.evaluation.own import OWN_METRICS
from components.evaluation.physics_iq_agreement import COLUMNS, Agreement
from components.evaluation.physics_iq_score import PhysicsIqCase, aggregate
from components.evaluation.set_distance import SetFeatures
from components.evaluation.summary import summarise
from components.evaluation.table import Table
from tests.evaluation.tables import table, videos

N = 40


def summary(rows: Table, *, seed: int = 0, resamples: int = 1000) -> dict[str, float]:
    return summarise(rows, seed=seed, resamples=resamples)


def random(seed: int, *, samples: int = 1, scale: float = 1.0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(5, scale, (N, samples))


def case(scenario: str, columns: NDArray[np.float64]) -> PhysicsIqCase:
    parts = [Agreement(**dict(zip(COLUMNS, columns[start : start + 4], strict=True))) for start in (0, 4, 8)]
    return PhysicsIqCase(scenario=scenario, view="", take1=parts[0], take2=parts[1], variance=parts[2])


def test_a_mean_stands_with_its_interval_and_n() -> None:
    values = random(0)
    found = summary(table({"base": videos(N, centroid_error=values)}))
    half = 1.96 * values.std() / math.sqrt(N)
    assert found["base.centroid_error"] == pytest.approx(values.mean())
    assert found["base.centroid_error.low"] == pytest.approx(values.mean() - half, abs=0.2 * half)
    assert found["base.centroid_error.high"] == pytest.approx(values.mean() + half, abs=0.2 * half)
    assert found["base.centroid_error.n"] == N


def test_samples_of_a_clip_are_one_unit() -> None:
    """Four samples that agree say no more than one."""
    one, four = (videos(N, samples, centroid_error=random(0)) for samples in (1, 4))
    assert summary(table({"base": four})) == summary(table({"base": one}))


def test_views_of_a_configuration_are_one_unit() -> None:
    values = videos(N, centroid_error=random(0))
    views = table({"base": values.repeat(3, axis=0)}, configurations=np.arange(N).repeat(3).astype(str).tolist())
    assert summary(views) == summary(table({"base": values}))


def test_a_gain_is_later_minus_earlier_and_paired() -> None:
    hard, gain = random(0, scale=3.0), np.random.default_rng(1).normal(-1, 0.3, (N, 1))
    found = summary(table({"base": videos(N, chamfer=hard), "stage2": videos(N, chamfer=hard + gain)}))
    name = "base_to_stage2.chamfer"
    assert found[name] == pytest.approx(gain.mean())
    assert found[f"{name}.high"] - found[f"{name}.low"] == pytest.approx(2 * 1.96 * gain.std() / math.sqrt(N), rel=0.2)
    assert found[f"{name}.p"] < 1e-9
    assert found["base.chamfer.high"] - found["base.chamfer.low"] > 5 * (found[f"{name}.high"] - found[f"{name}.low"])


def test_equal_rows_gain_nothing_for_certain() -> None:
    row = videos(N, centroid_error=random(0), st_iou=random(1) / 20)
    found = summary(table({"base": row, "stage1": row}))
    for metric in ("centroid_error", "score"):
        figures = [found[f"base_to_stage1.{metric}{end}"] for end in ("", ".low", ".high", ".p")]
        assert figures == [0, 0, 0, 1]


def test_the_score_is_that_of_the_benchmarks_aggregate() -> None:
    row = videos(N, 4)
    row[..., -12:] = np.random.default_rng(0).uniform(0.2, 0.6, (N, 4, 12))
    cases = [case(f"{number:03d}", columns) for number, clip in enumerate(row[..., -12:]) for columns in clip]
    found, expected = summary(table({"base": row}), seed=3, resamples=500), aggregate(cases, seed=3, resamples=500)
    assert found["base.score"] == expected.score
    assert (found["base.score.low"], found["base.score.high"]) == pytest.approx(expected.interval)
    assert found["base.st_iou"] == pytest.approx(expected.take1.st_iou)


def test_a_gain_of_score_is_resampled_on_the_same_scenes() -> None:
    hard = np.random.default_rng(0).uniform(0.1, 0.7, (N, 1))
    found = summary(table({"base": videos(N, st_iou=hard), "stage3": videos(N, st_iou=hard + 0.08)}))
    gain = 100 * 0.08 / 0.8 / 3
    assert found["base_to_stage3.score"] == pytest.approx(gain, abs=0.02)
    assert (found["base_to_stage3.score.low"], found["base_to_stage3.score.high"]) == pytest.approx(
        (gain, gain), abs=0.03
    )


def test_undefined_figures_leave_their_configuration_out() -> None:
    before, after = random(0), random(1)
    before[:5], after[3:10] = np.nan, np.nan
    found = summary(table({"stage1": videos(N, depth_warp=before), "stage2": videos(N, depth_warp=after)}))
    assert (found["stage1.depth_warp.n"], found["stage2.depth_warp.n"]) == (N - 5, N - 7)
    assert found["stage1_to_stage2.depth_warp.n"] == N - 10
    assert found["stage1_to_stage2.depth_warp"] == pytest.approx((after - before)[10:].mean())


def test_a_figure_that_nothing_defines_says_so_by_n() -> None:
    found = summary(table({"base": videos(N, permanence=np.nan)}))
    assert {key: value for key, value in found.items() if ".permanence" in key} == {"base.permanence.n": 0}


def test_a_figure_that_one_configuration_defines_has_no_interval() -> None:
    before, after = random(0), random(1)
    before[1:] = np.nan
    found = summary(table({"base": videos(N, chamfer=before), "stage3": videos(N, chamfer=after)}))
    for name, value in (("base.chamfer", before[0, 0]), ("base_to_stage3.chamfer", after[0, 0] - before[0, 0])):
        assert found[name] == pytest.approx(value)
        assert found[f"{name}.n"] == 1
        assert found.keys().isdisjoint({f"{name}.low", f"{name}.high", f"{name}.p"})


def test_every_number_is_finite() -> None:
    rows = {name: videos(N, depth_warp=np.where(random(0) > 6, np.nan, 1.0)) for name in ("base", "stage1", "stage2")}
    assert all(math.isfinite(value) for value in summary(table(rows)).values())


def test_heads_are_measured_where_they_have_a_figure() -> None:
    values = np.full((N, len(HEAD_METRICS)), np.nan)
    values[:, HEAD_METRICS.index("head_flow_epe")] = 0.5
    found = summary(table({"base": videos(N)}, heads={"stage1": values, "stage2": values + 1, "zero_flow": values}))
    assert found["zero_flow.head_flow_epe"] == 0.5
    assert found["stage1_to_stage2.head_flow_epe"] == 1
    assert not any(key.startswith(("zero_flow.head_depth", "base.head", "stage1.score")) for key in found)


def own(clips: int, value: float) -> NDArray[np.float64]:
    return np.full((clips, len(OWN_METRICS)), value)


def test_what_heads_say_of_their_own_videos_is_never_mixed_with_the_judges() -> None:
    rows = {"stage1": videos(N, depth_absrel=1), "stage2": videos(N, depth_absrel=3)}
    found = summary(replace(table(rows), own={"stage1_own": own(N, 5), "stage2_own": own(N, 4)}))
    figures = [found[f"{row}.depth_absrel"] for row in ("stage1", "stage2", "stage1_own", "stage2_own")]
    assert figures == [1, 3, 5, 4]
    assert found["stage1_to_stage2.depth_absrel"] == 2
    assert found["stage1_own_to_stage2_own.depth_absrel"] == -1
    assert not any("own" in key and key.endswith((".score", ".chamfer")) for key in found)


def test_the_distance_of_a_set_stands_with_an_interval_and_gains_without_p() -> None:
    rng = np.random.default_rng(0)
    sets = {"truth": rng.normal(size=(N, 1, 3)), "base": rng.normal(2, 1, (N, 2, 3)), "stage1": np.zeros((N, 2, 3))}
    features = SetFeatures(name="frechet_pixel_features", rows=sets)
    found = summary(replace(table({row: videos(N) for row in sets}), features=features))
    base = "base.frechet_pixel_features"
    assert found[f"{base}.low"] < found[base] < found[f"{base}.high"]
    assert found[base] == pytest.approx(12, rel=0.3)
    assert found[f"{base}.n"] == N
    gain = "base_to_stage1.frechet_pixel_features"
    assert found[gain] == pytest.approx(found["stage1.frechet_pixel_features"] - found[base], rel=1e-6)
    assert found[f"{gain}.high"] < 0
    assert f"{gain}.p" not in found
    assert all(math.isfinite(value) for value in found.values())


def test_the_seed_decides() -> None:
    rows = table({"base": videos(N, centroid_error=random(0))})
    assert summary(rows, seed=1) == summary(rows, seed=1) != summary(rows, seed=2)


def test_one_configuration_has_no_interval_and_is_refused() -> None:
    with pytest.raises(ParametersError, match="1 configuration, expected 2 or more"):
        summary(table({"base": videos(1)}))
