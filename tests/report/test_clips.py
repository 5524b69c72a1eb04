"""Figures of single clips: by category, and the worst ones, are those of per_clip.parquet."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

from components.errors import Phys4dError
from components.evaluation.summary import summarise
from components.evaluation.table import Table
from components.report.categories import charts
from components.report.clips import Clips, category_of, read_clips
from components.report.cloud import LEVELS, quantised, view_of
from components.report.provenance import read_provenance
from components.report.worst import worst_clips
from tests.report.project import FAMILIES, make_metrics, make_run, make_samples, make_table
from tests.report.test_page import read, rendered

PARQUET = "data/evaluation/wan22/per_clip.parquet"


@pytest.fixture
def table(tmp_path: Path) -> Table:
    (tmp_path / "data/evaluation/wan22").mkdir(parents=True)
    return make_table(tmp_path)


@pytest.fixture
def clips(tmp_path: Path, table: Table) -> Clips:
    return read_clips(tmp_path / PARQUET, dict.fromkeys(table.clip_ids[:4], FAMILIES[0]))


def test_one_category_of_all_clips_has_the_means_of_the_evaluation(clips: Clips, table: Table) -> None:
    expected = summarise(table, seed=0, resamples=200)
    drawn = charts(clips, resamples=200)
    assert [chart.metric.key for chart in drawn] == ["score", "centroid_error", "chamfer", "permanence"]
    for chart in drawn:
        whole = chart.kinds[0]
        assert (whole.kind, whole.n) == ("rigid", 4)
        for bar in whole.bars:
            key = f"{bar.row.key}.{chart.metric.key}"
            figures = (expected[key], expected[f"{key}.low"], expected[f"{key}.high"])
            assert (bar.value, bar.low, bar.high) == pytest.approx(figures, rel=1e-6)


def test_families_follow_their_category_and_part_its_clips(tmp_path: Path, table: Table) -> None:
    families = {clip: FAMILIES[number >= 4] for number, clip in enumerate(table.clip_ids)}
    chart = charts(read_clips(tmp_path / PARQUET, families), resamples=50)[3]
    assert [(kind.kind, kind.n) for kind in chart.kinds] == [("rigid", 4), ("rigid: drop", 2), ("rigid: ramp", 2)]
    whole, drop, ramp = ({bar.row.key: bar.value for bar in kind.bars} for kind in chart.kinds)
    for row, value in whole.items():
        assert value == pytest.approx((drop[row] + ramp[row]) / 2)
    assert max(end for kind in chart.kinds for bar in kind.bars for end in bar.place) == 100


def test_the_worst_clip_is_the_one_that_was_spoilt_and_its_cause_is_what_was_spoilt(clips: Clips) -> None:
    worst = worst_clips(clips, first="base", last="stage3")
    assert len(worst) == 5
    assert [clip.after.value for clip in worst] == sorted(clip.after.value for clip in worst)
    assert worst[0].clip_id == "test-rigid-000002-v1-t0"
    assert worst[0].cause.value is not None
    assert worst[0].cause.value.metric.key in ("permanence", "s_iou", "st_iou")
    assert worst[0].cause.value.value < 0.1


def test_a_set_without_any_difference_has_no_cause(clips: Clips) -> None:
    same = {name: np.full_like(values, 0.5) for name, values in clips.values["stage3"].items()}
    flat = Clips(
        clip_ids=clips.clip_ids, configurations=clips.configurations, kinds=clips.kinds, values={"stage3": same}
    )
    worst = worst_clips(flat, first="base", last="stage3")
    assert all(clip.cause.value is None and clip.before is None for clip in worst)


def test_the_page_shows_the_numbers_of_the_table(tmp_path: Path) -> None:
    make_run(tmp_path, metrics=make_metrics(), samples=make_samples())
    report = read(tmp_path)
    html = rendered(report)
    clips = read_clips(tmp_path / PARQUET, {})
    shown = re.findall(r'data-clip="(.+?)" data-row="(.+?)" data-metric="(.+?)" data-value="(.+?)"', html)
    assert len(shown) >= 10
    for clip, row, metric, value in shown:
        values = clips.of(row, metric)
        assert values is not None
        assert float(value) == values[clips.clip_ids.index(clip)]
    ends = re.findall(r'data-kind="(.+?)" data-row="(.+?)" data-metric="(.+?)" data-ends="(.+?)"', html)
    assert {kind for kind, *_ in ends} == {"rigid", "rigid: drop", "rigid: ramp"}
    for kind, row, metric, three in ends:
        (bars,) = (
            one for chart in report.charts if chart.metric.key == metric for one in chart.kinds if one.kind == kind
        )
        (bar,) = (one for one in bars.bars if one.row.key == row)
        assert json.loads(three) == [bar.value, bar.low, bar.high]


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "per_clip.parquet").write_bytes(b"PAR1 it is not")
    with pytest.raises(Phys4dError, match=r"per_clip\.parquet: not readable .*: run the stage evaluate again"):
        read_clips(tmp_path / "per_clip.parquet", {})


def test_a_clips_id_names_its_category() -> None:
    assert category_of("test-fluid-000012-v0-t0") == "fluid"
    assert category_of("odd") == "odd"


def test_depth_survives_its_quantisation_and_what_is_none_is_left_out() -> None:
    depth = np.array([0.5, 5.0, 9.99, 10.0, np.nan, np.inf, -1.0, 0.0], np.float32)
    levels = quantised(depth, far=10.0)
    np.testing.assert_allclose(levels[:3] / LEVELS * 10, depth[:3], atol=10 / LEVELS)
    assert (levels[3:] == 0).all()
    assert view_of(field_of_view=90.0, distance=5.0).focal == pytest.approx(0.5)


def test_a_cloud_holds_every_frame_of_every_side(tmp_path: Path) -> None:
    make_run(tmp_path, metrics=make_metrics(), samples=make_samples(frames=5))
    cloud = read(tmp_path).cloud
    assert [side.row.key for side in cloud.sides] == ["truth", "base", "stage3"]
    assert all(len(base64.b64decode(side.points)) == 5 * 32 * 32 * 5 for side in cloud.sides)
    assert json.loads(cloud.layout)["frames"] == cloud.frames == 5


def test_provenance_follows_dvc_lock_back(tmp_path: Path) -> None:
    lock = """stages:
  simulate:
    outs: [{path: data/clips, md5: aa}]
  other:
    outs: [{path: data/other, md5: bb}]
  evaluate@wan22:
    deps: [{path: data/clips/index.parquet, md5: cc}]
    outs: [{path: data/evaluation/wan22, md5: dd}]
  report:
    deps: [{path: data/evaluation/wan22, md5: dd}]
    outs: [{path: data/report, md5: ee}]
"""
    (tmp_path / "dvc.lock").write_text(lock)
    found = read_provenance(tmp_path, results="data/evaluation/wan22")
    assert [made.stage for made in found.made] == ["simulate", "evaluate@wan22"]
    (tmp_path / "dvc.lock").write_text(lock.replace("md5: ee", "md5: ff").replace("md5: bb", "md5: b0"))
    assert read_provenance(tmp_path, results="data/evaluation/wan22") == found  # what it is not made of
    (tmp_path / "dvc.lock").write_text(lock.replace("md5: aa", "md5: a0"))
    changed = read_provenance(tmp_path, results="data/evaluation/wan22")
    assert changed.lock != found.lock
    assert changed.data != found.data
