"""metrics.json as figures: a mean with its interval, and each number with the key it came from."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from components.report.catalogue import METRICS, PAIRS, ROWS, Better, Row, metric_of, row_of
from components.report.numbers import written

Value = float | int | str
Reading = Literal["better", "worse", "unclear", "same", "changed"]

PARTS = ("low", "high", "n", "p")
FACTS = "evaluation"
PAIR = "_to_"


@dataclass(frozen=True, kw_only=True)
class Number:
    """One number of metrics.json: its key, its value and how the page writes it."""

    key: str
    value: float
    text: str

    @property
    def exact(self) -> str:
        """The value in full."""
        return json.dumps(self.value)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A metric of one row, or a paired gain; what metrics.json does not give is None."""

    mean: Number
    low: Number | None
    high: Number | None
    n: Number | None
    p: Number | None

    def reading(self, better: Better) -> Reading:
        """What a paired gain says; one whose interval includes 0 says nothing."""
        if self.low is None or self.high is None:
            return "unclear"
        if self.low.value == self.high.value == 0:
            return "same"
        if self.low.value <= 0 <= self.high.value:
            return "unclear"
        if better == "unknown":
            return "changed"
        return "better" if (self.mean.value > 0) == (better == "higher") else "worse"


class Figures:
    """The figures of one backbone's metrics.json, and of models from outside that were measured on the same scenes."""

    def __init__(self, values: Mapping[str, Value], external: Mapping[Row, Mapping[str, Value]] | None = None) -> None:
        self._external = {row.key: row for row in external or {}}
        self._values = {**{key: value for found in (external or {}).values() for key, value in found.items()}, **values}
        self._metrics: dict[str, list[str]] = {}
        for row, metric in self._parsed():
            self._metrics.setdefault(row, []).append(metric)

    def fact(self, name: str) -> Value | None:
        """A plain value of the evaluation, such as `split`."""
        return self._values.get(f"{FACTS}.{name}")

    def count(self, name: str) -> Number | None:
        """A whole number of the evaluation, such as `clips`."""
        return self._number(f"{FACTS}.{name}", 0)

    def row(self, key: str) -> Row:
        """The row of that name, as the tables call it."""
        return self._external.get(key) or row_of(key)

    def rows(self) -> list[str]:
        """Measured rows, known ones in the page's order, then others by name."""
        return _ordered((row for row in self._metrics if PAIR not in row), ROWS)

    def pairs(self) -> list[tuple[str, str]]:
        """Compared rows, (earlier, later), known ones in the page's order, then others by name."""
        found = {(earlier, later) for row in self._metrics for earlier, sep, later in [row.partition(PAIR)] if sep}
        return [pair for pair in PAIRS if pair in found] + sorted(found - set(PAIRS))

    def metrics(self, row: str) -> list[str]:
        """The metrics of a row or pair, known ones in the page's order, then others by name."""
        return _ordered(self._metrics.get(row, []), METRICS)

    def figure(self, row: str, metric: str, *, signed: bool = False) -> Figure | None:
        """A row's metric; with `signed` a gain, whose sign is written."""
        key, digits = f"{row}.{metric}", metric_of(metric).digits
        mean = self._number(key, digits, signed=signed)
        if mean is None:
            return None
        return Figure(
            mean=mean,
            low=self._number(f"{key}.low", digits, signed=signed),
            high=self._number(f"{key}.high", digits, signed=signed),
            n=self._number(f"{key}.n", 0),
            p=self._p(f"{key}.p"),
        )

    def gain(self, earlier: str, later: str, metric: str) -> Figure | None:
        """The paired difference later minus earlier."""
        return self.figure(f"{earlier}{PAIR}{later}", metric, signed=True)

    def _parsed(self) -> Iterator[tuple[str, str]]:
        for key in self._values:
            row, _, metric = key.partition(".")
            if row != FACTS and metric and metric.rpartition(".")[2] not in PARTS:
                yield row, metric

    def _number(self, key: str, digits: int, *, signed: bool = False) -> Number | None:
        value = self._values.get(key)
        if not isinstance(value, float | int) or not math.isfinite(value):
            return None
        return Number(key=key, value=value, text=written(value, digits, signed=signed))

    def _p(self, key: str) -> Number | None:
        number = self._number(key, 3)
        if number is None or number.value >= 0.001:
            return number
        return Number(key=key, value=number.value, text="< 0.001")


def _ordered(keys: Iterator[str] | list[str], known: Mapping[str, object]) -> list[str]:
    found = set(keys)
    return [key for key in known if key in found] + sorted(found - set(known))
