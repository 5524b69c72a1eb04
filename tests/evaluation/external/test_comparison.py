"""Paired differences with the project's own models, where the same instrument measured both."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from components.evaluation.external.comparison import Comparison, compare
from components.evaluation.judge import METRICS
from components.evaluation.table import Table, encode_table
from tests.evaluation.tables import table, videos

CLIPS = 8
ERROR = METRICS.index("centroid_error")


def errors(seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(1, 9, (CLIPS, 1))


def outside() -> Table:
    return table(
        {"first_frame": videos(CLIPS, centroid_error=errors(0)), "sora": videos(CLIPS, centroid_error=errors(1))}
    )


def write_own(folder: Path, *, split: str = "test", still: int = 0, clips: slice = slice(None)) -> Path:
    """Base at errors(2) in two samples, stage 3 at errors(3)."""
    rows = {
        "first_frame": videos(CLIPS, centroid_error=errors(still)),
        "base": videos(CLIPS, 2, centroid_error=errors(2) + np.array([-0.5, 0.5])),
        "stage3": videos(CLIPS, centroid_error=errors(3)),
    }
    whole = table(rows)
    own = Table(
        clip_ids=whole.clip_ids[clips],
        configurations=whole.configurations[clips],
        videos={name: values[clips] for name, values in whole.videos.items()},
        heads={},
    )
    folder.mkdir(parents=True)
    (folder / "per_clip.parquet").write_bytes(encode_table(own))
    facts = {"evaluation.split": split, "evaluation.scenes": "a" * 64}
    (folder / "metrics.json").write_text(json.dumps(facts))
    return folder


def compared(own: Path) -> Comparison:
    return compare(outside(), "sora", own, split="test", scenes="a" * 64, seed=0, resamples=200)


def test_differences_are_this_model_minus_the_own_one(tmp_path: Path) -> None:
    found = compared(write_own(tmp_path / "wan22"))
    assert found.note == ""
    assert {key.partition(".")[0] for key in found.figures} == {"base_to_sora", "stage3_to_sora"}
    for row, seed in (("base", 2), ("stage3", 3)):
        key = f"{row}_to_sora.centroid_error"
        difference = errors(1) - errors(seed)
        assert found.figures[key] == pytest.approx(difference.mean())
        assert found.figures[f"{key}.n"] == CLIPS
        assert found.figures[f"{key}.low"] < found.figures[key] < found.figures[f"{key}.high"]
        assert 0 < found.figures[f"{key}.p"] <= 1


def test_only_clips_that_both_have_count(tmp_path: Path) -> None:
    found = compared(write_own(tmp_path / "wan22", clips=slice(2, 6)))
    assert found.figures["base_to_sora.centroid_error.n"] == 4
    assert found.figures["base_to_sora.centroid_error"] == pytest.approx((errors(1) - errors(2))[2:6].mean())


def test_a_metric_that_is_undefined_on_a_clip_leaves_it_out(tmp_path: Path) -> None:
    own = write_own(tmp_path / "wan22")
    lines = pq.read_table(own / "per_clip.parquet").to_pylist()
    for line in lines:
        if line["row"] == "base" and line["clip_id"] == outside().clip_ids[0]:
            line["centroid_error"] = None
    schema = pq.read_schema(own / "per_clip.parquet")
    pq.write_table(schema.empty_table().from_pylist(lines, schema=schema), own / "per_clip.parquet")
    found = compared(own)
    assert found.figures["base_to_sora.centroid_error.n"] == CLIPS - 1
    assert found.figures["stage3_to_sora.centroid_error.n"] == CLIPS


def test_own_figures_of_another_instrument_or_other_scenes_are_not_compared(tmp_path: Path) -> None:
    other_metrics = write_own(tmp_path / "metrics/wan22")
    lines = pq.read_table(other_metrics / "per_clip.parquet").drop_columns(["chamfer"])
    pq.write_table(lines, other_metrics / "per_clip.parquet")
    damaged = write_own(tmp_path / "damaged/wan22")
    (damaged / "per_clip.parquet").write_bytes(b"PAR1 and no more")
    cases = {
        tmp_path / "absent/wan22": "is not there",
        damaged: "cannot be read",
        write_own(tmp_path / "split/wan22", split="dev"): "was measured on other scenes",
        write_own(tmp_path / "judge/wan22", still=5): "was measured by another judge",
        write_own(tmp_path / "few/wan22", clips=slice(0, 1)): "has fewer than 2 scenes in common",
        other_metrics: "was measured with other metrics",
    }
    for own, cause in cases.items():
        found = compared(own)
        assert found.figures == {}
        assert cause in found.note
        assert "run phys4d stage evaluate@wan22 for paired differences with base and stage3" in found.note
