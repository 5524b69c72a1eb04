"""Two models are compared clip by clip, and only when scenes and instruments are the same."""

from pathlib import Path

import numpy as np
import pytest

from components.errors import Phys4dError
from components.evaluation.summary import summarise
from components.evaluation.table import Table, encode_table
from components.registry.measured import compare, read_measurement
from tests.evaluation.tables import table, videos
from tests.registry.models import make_metrics, make_model, record

CLIPS = 20
RANDOM = np.random.default_rng(5)
ONE = videos(CLIPS, 2, chamfer=RANDOM.uniform(0.4, 0.6, (CLIPS, 2)))
OTHER = videos(CLIPS, 2, chamfer=RANDOM.uniform(0.3, 0.5, (CLIPS, 2)), st_iou=RANDOM.uniform(0.4, 0.6, (CLIPS, 2)))


def last(made: Table) -> bytes:
    return encode_table(made)


def test_the_comparison_is_that_of_two_rows_of_one_table() -> None:
    """The summary's own paired difference, as if both models had been measured together."""
    together = summarise(table({"base": ONE, "stage3": OTHER}), seed=3, resamples=200)
    apart = compare(last(table({"stage3": ONE})), last(table({"stage3": OTHER})), seed=3, resamples=200)
    start = "base_to_stage3."
    assert apart == {key.removeprefix(start): value for key, value in together.items() if key.startswith(start)}
    assert {"chamfer", "chamfer.low", "score", "score.high"} <= set(apart)


def test_only_clips_that_both_have_are_compared() -> None:
    half = table({"stage3": ONE[:10]})
    found = compare(last(half), last(table({"stage3": OTHER})), seed=3, resamples=200)
    assert found["chamfer.n"] == 10
    assert found == compare(last(half), last(table({"stage3": OTHER[:10]})), seed=3, resamples=200)


def test_models_with_no_scene_in_common_cannot_be_compared() -> None:
    elsewhere = table({"stage3": ONE}, configurations=[f"{number}" for number in range(CLIPS)])
    renamed = Table(
        clip_ids=[f"other-{clip}" for clip in elsewhere.clip_ids],
        configurations=elsewhere.configurations,
        videos=elsewhere.videos,
        heads={},
    )
    with pytest.raises(Phys4dError, match="on 0 scenes, needed 2"):
        compare(last(renamed), last(table({"stage3": OTHER})), seed=3, resamples=200)


def test_a_model_against_itself_gains_nothing() -> None:
    found = compare(last(table({"stage3": ONE})), last(table({"stage3": ONE})), seed=3, resamples=200)
    assert (found["chamfer"], found["chamfer.low"], found["chamfer.high"]) == (0, 0, 0)


def test_another_judge_or_other_scenes_are_another_measurement(tmp_path: Path) -> None:
    make_model(tmp_path)
    make_metrics(tmp_path)
    before = read_measurement(tmp_path, "wan22")
    record(tmp_path, "first", judge="another")
    assert read_measurement(tmp_path, "wan22").key != before.key
    record(tmp_path, "first")
    assert read_measurement(tmp_path, "wan22") == before
    make_metrics(tmp_path, scenes="t" * 64)
    assert read_measurement(tmp_path, "wan22").key != before.key


def test_a_table_that_is_none_says_what_to_run(tmp_path: Path) -> None:
    make_model(tmp_path)
    make_metrics(tmp_path)
    (tmp_path / "data/evaluation/wan22/per_clip.parquet").write_text("no table")
    with pytest.raises(Phys4dError, match=r"per_clip\.parquet: not readable .*evaluate@wan22"):
        read_measurement(tmp_path, "wan22")
