"""Histograms count every value once, between round numbers that the axis names."""

import math
from itertools import pairwise

import numpy as np
import pytest

from components.dataset.histograms import CHAR, HEIGHT, WIDTH, charts, histogram


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 37.0, 1e6])
@pytest.mark.parametrize("count", [2, 7, 300])
def test_every_value_is_counted_once_between_round_edges(scale: float, count: int) -> None:
    values = scale * np.random.default_rng(count).normal(2, 1, count)
    found = histogram("a", values.tolist(), unit="m")
    assert sum(found.counts) == found.n == count
    assert len(found.edges) == len(found.counts) + 1
    assert found.edges[0] <= values.min() <= values.max() <= found.edges[-1]
    np.testing.assert_array_equal(np.histogram(values, found.edges)[0], found.counts)
    step = found.edges[1] - found.edges[0]
    mantissa = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - good) for good in (1, 2, 2.5, 5, 10)) < 1e-6
    assert len(found.counts) <= 16


def test_few_whole_numbers_have_a_bin_each() -> None:
    found = histogram("objects", [1.0, 1.0, 2.0, 4.0], unit="")
    assert found.counts == (2, 1, 0, 1)
    assert [tick.text for tick in found.ticks] == ["1", "2", "3", "4"]


def test_the_fullest_bin_fills_the_height() -> None:
    found = histogram("a", [0.1, 0.12, 0.5, 0.9], unit="")
    heights = [float(part.split("v-")[1].split("h")[0]) for part in found.path.split("z") if part]
    assert max(heights) == HEIGHT
    assert len(heights) == sum(count > 0 for count in found.counts)


@pytest.mark.parametrize(
    "values",
    [[0.72651, 0.7274, 0.7276], [-0.05, 0.01, 0.07], [100.0, 1290.0], [-3e-5, 9e-5], [0.43725, 0.43795]],
)
def test_axis_numbers_tell_their_places_and_do_not_touch(values: list[float]) -> None:
    found = histogram("a", values, unit="")
    assert len({tick.text for tick in found.ticks}) == len(found.ticks) >= 2
    span = found.edges[-1] - found.edges[0]
    spans = []
    for tick in found.ticks:
        place = found.edges[0] + tick.x / WIDTH * span
        read = float(tick.text.replace("−", "-"))
        assert read == pytest.approx(place, abs=span / WIDTH)
        start = tick.x - CHAR * len(tick.text) * {"start": 0.0, "middle": 0.5, "end": 1.0}[tick.anchor]
        spans.append((start, start + CHAR * len(tick.text)))
    for (_, end), (start, _) in pairwise(spans):
        assert end < start


def test_what_never_changes_is_said_and_not_drawn() -> None:
    numbers, words, same = charts(
        {"angle": [1.0, 1.0], "shape": ["box", "box"], "lean": [1.0, 2.0], "colour": ["red", "blue", "red"]},
        {"angle": "°"},
    )
    assert [chart.name for chart in numbers] == ["lean"]
    assert [(chart.name, chart.counts) for chart in words] == [("colour", (("red", 2), ("blue", 1)))]
    assert same == (("angle", "1.00 °"), ("shape", "box"))


def test_what_is_not_finite_is_left_out() -> None:
    (chart,), _, _ = charts({"a": [1.0, math.nan, 2.0, math.inf]}, {})
    assert chart.n == 2
