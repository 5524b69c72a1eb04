"""Figures are read from flat keys, and a gain is read by its interval."""

import pytest

from components.report.catalogue import Better
from components.report.figures import Figures, Reading
from components.report.numbers import written
from components.report.results import comparisons, ladders, table
from tests.report.project import make_metrics


@pytest.mark.parametrize(
    ("mean", "low", "high", "better", "reading"),
    [
        (2.0, 1.0, 3.0, "higher", "better"),
        (2.0, 1.0, 3.0, "lower", "worse"),
        (-2.0, -3.0, -1.0, "lower", "better"),
        (-2.0, -3.0, -1.0, "higher", "worse"),
        (2.0, -0.1, 3.0, "higher", "unclear"),
        (2.0, 0.0, 3.0, "higher", "unclear"),  # 0 is in the interval
        (0.0, 0.0, 0.0, "higher", "same"),
        (2.0, 1.0, 3.0, "unknown", "changed"),
    ],
)
def test_a_gain_is_what_its_interval_says(
    mean: float, low: float, high: float, better: Better, reading: Reading
) -> None:
    figures = Figures({"base_to_stage2.m": mean, "base_to_stage2.m.low": low, "base_to_stage2.m.high": high})
    gain = figures.gain("base", "stage2", "m")
    assert gain is not None
    assert gain.reading(better) == reading


def test_a_gain_without_an_interval_says_nothing() -> None:
    gain = Figures({"base_to_stage2.m": 5.0}).gain("base", "stage2", "m")
    assert gain is not None
    assert gain.reading("higher") == "unclear"


@pytest.mark.parametrize(
    ("value", "digits", "signed", "text"),
    [
        (1.25, 1, False, "1.2"),
        (-3.14159, 2, False, "−3.14"),
        (3.14159, 2, True, "+3.14"),
        (-0.0004, 3, True, "0.000"),
        (0.0, 1, True, "0.0"),
        (64, 0, False, "64"),
    ],
)
def test_numbers_are_written_with_a_true_minus(value: float, digits: int, signed: bool, text: str) -> None:
    assert written(value, digits, signed=signed) == text


def test_rows_and_pairs_are_told_apart_and_ordered() -> None:
    figures = Figures({"base_to_stage1.a": 1.0, "stage3.a": 1.0, "zebra.a": 1.0, "base.a": 1.0, "evaluation.clips": 3})
    assert figures.rows() == ["base", "stage3", "zebra"]
    assert figures.pairs() == [("base", "stage1")]


def test_on_every_ladder_right_is_better() -> None:
    drawn = {ladder.metric.key: ladder for ladder in ladders(Figures(make_metrics()))}
    assert list(drawn) == ["score", "centroid_error", "chamfer", "permanence"]
    for ladder in drawn.values():
        marks = {standing.row.key: standing.mark for standing in ladder.standings}
        assert marks["base"].mean < marks["stage2"].mean < marks["stage3"].mean < marks["truth"].mean
        for mark in marks.values():
            assert 0 <= mark.low <= mark.mean <= mark.high <= 100


def test_a_model_below_the_still_picture_is_marked_in_the_table() -> None:
    video = table(Figures(make_metrics()), "video")
    chamfer = [column.metric.key for column in video.columns].index("chamfer")
    below = {row.row.key: cell.below_floor for row in video.rows if (cell := row.cells[chamfer])}
    assert below == {
        **dict.fromkeys(("first_frame", "truth", "take2", "round_trip", "stage3"), False),
        **dict.fromkeys(("base", "stage1", "stage2"), True),
    }


def test_an_unusual_n_is_shown_where_it_is() -> None:
    video = table(Figures(make_metrics()), "video")
    chamfer = [column.metric.key for column in video.columns].index("chamfer")
    usual = video.columns[chamfer].n
    assert usual is not None
    assert usual.value == 64
    unusual = {row.row.key: cell.n.value for row in video.rows if (cell := row.cells[chamfer]) and cell.n}
    assert unusual == {"base": 61}


def test_heads_and_video_have_tables_of_their_own() -> None:
    figures = Figures(make_metrics())
    heads = table(figures, "heads")
    assert {row.row.kind for row in heads.rows} == {"rival", "model"}
    assert all(column.metric.key.startswith("head_") for column in heads.columns)
    assert [(pair.earlier.key, pair.later.key) for pair in comparisons(figures, "heads")] == [("stage1", "stage2")]


def test_a_gains_mark_is_on_the_side_of_better() -> None:
    for comparison in comparisons(Figures(make_metrics()), "video"):
        for gain in comparison.gains:
            if gain.mark is None:
                assert gain.reading == "same"
            elif gain.reading == "better":
                assert gain.mark.low > 50
            elif gain.reading == "worse":
                assert gain.mark.high < 50
            else:
                assert gain.mark.low <= 50 <= gain.mark.high
