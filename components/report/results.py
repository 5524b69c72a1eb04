"""The figures arranged as the page shows them: standings of the headline metrics, tables, and paired gains."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from components.evaluation.consistency.catalogue import BY_NAME
from components.report.catalogue import HEADLINES, METRICS, MODELS, Metric, Row, Subject, metric_of
from components.report.figures import Figure, Figures, Number, Reading

MARGIN = 0.04  # of an axis, beyond its outermost interval


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Where a mean and its interval lie on an axis, in percent of its length."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One row on a headline metric's axis."""

    row: Row
    figure: Figure
    mark: Mark


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """One headline metric: every row on one axis on which right is better."""

    metric: Metric
    standings: tuple[Standing, ...]
    floor: float | None  # percent

    def between(self, first: Row, last: Row) -> tuple[Figure, Figure] | None:
        """The figures of two rows, when both were measured."""
        found = {standing.row.key: standing.figure for standing in self.standings}
        return (found[first.key], found[last.key]) if {first.key, last.key} <= set(found) else None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A figure in a table. below_floor: a model's mean is worse than the still picture's; n: where it is unusual."""

    figure: Figure
    below_floor: bool
    n: Number | None


@dataclass(frozen=True, kw_only=True)
class Column:
    """A metric in a table; n: of most rows."""

    metric: Metric
    n: Number | None


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """A row of a table; None where it was not measured."""

    row: Row
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Means with intervals."""

    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, kw_only=True)
class Gain:
    """A paired difference. mark: on an axis of its own whose middle is 0 and on which right is better; n: unusual."""

    metric: Metric
    figure: Figure
    reading: Reading
    mark: Mark | None
    n: Number | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All gains between two rows, of video or of heads; n: of most of them."""

    earlier: Row
    later: Row
    gains: tuple[Gain, ...]
    n: Number | None

    @property
    def same(self) -> bool:
        """Whether nothing differs: the videos are the same."""
        return bool(self.gains) and all(gain.reading == "same" for gain in self.gains)


def ladders(figures: Figures) -> tuple[Ladder, ...]:
    """The headline metrics that were measured."""
    return tuple(ladder for metric in HEADLINES if (ladder := _ladder(figures, metric_of(metric))).standings)


def table(figures: Figures, subject: Subject, *, group: str = "") -> Table:
    """Every row and metric of a subject, or of one of its groups."""
    wanted = _of(subject, group)
    rows = [row for row in judged(figures) if wanted(figures.metrics(row))]
    return arranged(figures, rows, (metric for row in rows for metric in wanted(figures.metrics(row))))


def arranged(figures: Figures, rows: Sequence[str], metrics: Iterable[str]) -> Table:
    """These rows and metrics, the metrics in the page's order."""
    columns = tuple(_column(figures, rows, metric) for metric in sorted(set(metrics), key=_place))
    return Table(
        columns=columns,
        rows=tuple(
            TableRow(row=figures.row(row), cells=tuple(_cell(figures, row, column) for column in columns))
            for row in rows
        ),
    )


def judged(figures: Figures) -> list[str]:
    """The rows that the judge measured: all but those of the models' own heads."""
    return [row for row in figures.rows() if figures.row(row).kind != "own"]


def comparisons(figures: Figures, subject: Subject, *, group: str = "") -> tuple[Comparison, ...]:
    """Every pair of rows that metrics.json compares."""
    found = []
    for earlier, later in figures.pairs():
        metrics = _of(subject, group)(figures.metrics(f"{earlier}_to_{later}"))
        given = {metric: figure for metric in metrics if (figure := figures.gain(earlier, later, metric))}
        common = _common(figure.n for figure in given.values())
        gains = tuple(_gain(figure, metric_of(metric), common) for metric, figure in given.items())
        if gains:
            found.append(Comparison(earlier=figures.row(earlier), later=figures.row(later), gains=gains, n=common))
    return tuple(found)


def _ladder(figures: Figures, metric: Metric) -> Ladder:
    measured = {row: figure for row in judged(figures) if (figure := figures.figure(row, metric.key))}
    if not measured:
        return Ladder(metric=metric, standings=(), floor=None)
    ends = [number.value for figure in measured.values() for number in _ends(figure)]
    low, high = min(ends), max(ends)
    span = (high - low) * (1 + 2 * MARGIN) or 1.0
    start = low - MARGIN * span

    def place(value: float) -> float:
        share = (value - start) / span
        return round(100 * (1 - share if metric.better == "lower" else share), 2)

    standings = tuple(
        Standing(row=figures.row(row), figure=figure, mark=_mark(figure, place)) for row, figure in measured.items()
    )
    floor = next((standing.mark.mean for standing in standings if standing.row.kind == "floor"), None)
    return Ladder(metric=metric, standings=standings, floor=floor)


def _mark(figure: Figure, place: Callable[[float], float]) -> Mark:
    low, mean, high = (place(number.value) for number in _ends(figure))
    return Mark(mean=mean, low=min(low, high), high=max(low, high))


def _ends(figure: Figure) -> tuple[Number, Number, Number]:
    return figure.low or figure.mean, figure.mean, figure.high or figure.mean


def _column(figures: Figures, rows: Sequence[str], metric: str) -> Column:
    common = _common(figure.n for row in rows if (figure := figures.figure(row, metric)))
    return Column(metric=metric_of(metric), n=common)


def _common(numbers: Iterable[Number | None]) -> Number | None:
    """The number that occurs most often, the first of those that do."""
    given = [number for number in numbers if number is not None]
    counts = Counter(number.value for number in given)
    return max(given, key=lambda number: counts[number.value], default=None)


def _unusual(n: Number | None, common: Number | None) -> Number | None:
    return None if n is None or (common is not None and n.value == common.value) else n


def _cell(figures: Figures, row: str, column: Column) -> Cell | None:
    figure = figures.figure(row, column.metric.key)
    if figure is None:
        return None
    floor = figures.figure("first_frame", column.metric.key)
    worse = False
    if floor is not None and row in MODELS and column.metric.better != "unknown":
        above = figure.mean.value > floor.mean.value
        worse = figure.mean.value != floor.mean.value and above != (column.metric.better == "higher")
    return Cell(figure=figure, below_floor=worse, n=_unusual(figure.n, column.n))


def _gain(figure: Figure, metric: Metric, common: Number | None) -> Gain:
    reach = max(abs(number.value) for number in _ends(figure)) * (1 + 2 * MARGIN)
    sign = -1 if metric.better == "lower" else 1
    mark = _mark(figure, lambda value: round(50 + 50 * sign * value / reach, 2)) if reach else None
    return Gain(
        metric=metric, figure=figure, reading=figure.reading(metric.better), mark=mark, n=_unusual(figure.n, common)
    )


def _of(subject: Subject, group: str) -> Callable[[Iterable[str]], list[str]]:
    def wanted(metric: Metric) -> bool:
        return metric.subject == subject and group in ("", metric.group)

    return lambda metrics: [metric for metric in metrics if wanted(metric_of(metric))]


def _place(metric: str) -> tuple[int, str]:
    known = [*METRICS, *BY_NAME]
    return known.index(metric) if metric in known else len(known), metric
