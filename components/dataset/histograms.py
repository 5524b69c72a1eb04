"""Histograms as inline SVG: bins at round numbers, the axis named at both ends and between."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from components.report.curves import brief

WIDTH, HEIGHT = 220.0, 64.0  # of the bars; axis numbers stand below
FEWEST, MOST = 5, 14  # bins, about
TICKS = 4  # on the axis, about
CHAR = 7.0  # width of a digit in the drawing's units
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
ALIKE = 1e-9  # relative: values that differ by less are one
KINDS = 24  # different words at most: more are no choice but text


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A number below the axis."""

    x: float
    text: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How often a number took which values. edges: of the bins, one more than counts; path: the bars."""

    name: str
    unit: str
    n: int
    low: float
    high: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    path: str
    ticks: tuple[Tick, ...]

    @property
    def summary(self) -> str:
        """The values in words."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.n} values from {brief(self.low)} to {brief(self.high)}{unit}; the fullest bin has {self.peak}"

    @property
    def peak(self) -> int:
        """The count of the fullest bin: the height of the drawing."""
        return max(self.counts)


@dataclass(frozen=True, kw_only=True)
class Words:
    """How often a word was drawn, the most frequent first."""

    name: str
    counts: tuple[tuple[str, int], ...]


def histogram(name: str, values: Sequence[float], *, unit: str) -> Histogram:
    """The histogram of finite `values`, of which there is one at least."""
    array = np.asarray(values, np.float64)
    edges = bin_edges(array)
    counts, _ = np.histogram(array.clip(edges[0], edges[-1]), edges)  # an edge is rounded
    return Histogram(
        name=name,
        unit=unit,
        n=len(array),
        low=float(array.min()),
        high=float(array.max()),
        edges=tuple(edges.tolist()),
        counts=tuple(int(count) for count in counts),
        path=_bars(counts),
        ticks=_ticks(edges),
    )


def bin_edges(values: np.ndarray) -> np.ndarray:
    """Round numbers, evenly spaced, around all values; a bin for each whole number where those are few."""
    low, high = float(values.min()), float(values.max())
    whole = bool((values == np.round(values)).all())
    if whole and high - low <= MOST:
        return np.arange(low - 0.5, high + 1.0)
    bins = min(max(2 * math.sqrt(len(values)), FEWEST), MOST)
    step = _round_step(((high - low) or abs(low) or 1.0) / bins)
    first, last = math.floor(low / step), math.ceil(high / step)
    return np.asarray(np.arange(first, max(last, first + 1) + 1) * step)


def constant(values: Sequence[float]) -> bool:
    """Whether all values are one."""
    return max(values) - min(values) <= ALIKE * max(abs(max(values)), abs(min(values)))


def charts(
    drawn: Mapping[str, Iterable[float | str]], units: Mapping[str, str]
) -> tuple[tuple[Histogram, ...], tuple[Words, ...], tuple[tuple[str, str], ...]]:
    """Of values by name: histograms, words, and what was always the same (name, value with its unit)."""
    numbers, words, same = [], [], []
    for name, values in drawn.items():
        found = [value for value in values if isinstance(value, float) and math.isfinite(value)]
        texts = [value for value in values if isinstance(value, str)]
        unit = units.get(name, "")
        if found and constant(found):
            same.append((name, f"{brief(found[0])} {unit}".strip()))
        elif found:
            numbers.append(histogram(name, found, unit=unit))
        counted = Counter(texts)
        if len(counted) == 1:
            same.append((name, texts[0]))
        elif 1 < len(counted) <= KINDS:
            words.append(Words(name=name, counts=tuple(counted.most_common())))
    return tuple(numbers), tuple(words), tuple(same)


def _round_step(least: float) -> float:
    size = 10.0 ** math.floor(math.log10(least))
    return next(factor * size for factor in ROUND if factor * size >= least * (1 - ALIKE))


def _bars(counts: np.ndarray) -> str:
    across, tallest = WIDTH / len(counts), counts.max()
    return "".join(
        f"M{index * across + 0.6:.1f} {HEIGHT:g}v{-HEIGHT * count / tallest:.1f}h{across - 1.2:.1f}V{HEIGHT:g}z"
        for index, count in enumerate(counts)
        if count
    )


def _ticks(edges: np.ndarray) -> tuple[Tick, ...]:
    """At some of the edges, the first and the last among them, or at the middles of bins that are whole numbers."""
    step = float(edges[1] - edges[0])
    places = edges[:-1] + 0.5 if edges[0] % 1 == 0.5 and step == 1.0 else edges
    every = max(1, round((len(places) - 1) / (TICKS - 1)))
    last = _tick(float(places[-1]), edges)
    ticks: list[Tick] = []
    for place in places[:-1:every]:
        tick = _tick(float(place), edges)
        clear = not ticks or _end(ticks[-1]) + CHAR < _start(tick)
        if clear and _end(tick) + 2 * CHAR < last.x - CHAR * len(last.text):
            ticks.append(tick)
    return (*ticks, last)


def _tick(place: float, edges: np.ndarray) -> Tick:
    x = float((place - edges[0]) / (edges[-1] - edges[0]) * WIDTH)
    text = _written(place, float(edges[1] - edges[0]))
    room = CHAR * len(text) / 2
    anchor = "start" if x < room else "end" if x > WIDTH - room else "middle"
    return Tick(x=round(x, 1), text=text, anchor=anchor)


def _start(tick: Tick) -> float:
    return _end(tick) - CHAR * len(tick.text)


def _end(tick: Tick) -> float:
    return tick.x + CHAR * len(tick.text) * {"start": 1.0, "middle": 0.5, "end": 0.0}[tick.anchor]


def _written(value: float, step: float) -> str:
    """A multiple of `step` with the digits that tell it from its neighbours."""
    decimals = max(0, 1 - math.floor(math.log10(step)))
    if decimals > 6 or abs(value) >= 1e5:
        return brief(value)
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text.replace("-", "−")
