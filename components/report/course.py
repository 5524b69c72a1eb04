"""The course of a headline metric over the stages: a small chart, base, 1, 2, 3 from left to right, with intervals."""

from dataclasses import dataclass

from components.report.catalogue import HEADLINES, MODELS, Metric, Row, metric_of
from components.report.figures import Figure, Figures

WIDTH, HEIGHT = 240.0, 110.0  # of the drawing; the page stretches its width
MARGIN = 12.0  # above and below the outermost interval


@dataclass(frozen=True, kw_only=True)
class Point:
    """A model's place in the drawing: x, and the heights of its mean and of the ends of its interval."""

    row: Row
    figure: Figure
    x: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Course:
    """A metric over the stages. Up is better. floor: height of the still picture, None where that was not measured."""

    metric: Metric
    points: tuple[Point, ...]
    path: str
    floor: float | None


def courses(figures: Figures) -> tuple[Course, ...]:
    """The headline metrics of which at least two models were measured."""
    return tuple(course for metric in HEADLINES if (course := _course(figures, metric_of(metric))))


def _course(figures: Figures, metric: Metric) -> Course | None:
    found = {row: figure for row in MODELS if (figure := figures.figure(row, metric.key))}
    if len(found) < 2:
        return None
    still = figures.figure("first_frame", metric.key)
    values = [number.value for one in found.values() for number in (one.mean, one.low, one.high) if number]
    values += [still.mean.value] if still else []
    least, most = min(values), max(values)
    span = (most - least) or 1.0

    def height(value: float) -> float:
        share = (value - least) / span
        up = 1 - share if metric.better == "lower" else share
        return round(MARGIN + (HEIGHT - 2 * MARGIN) * (1 - up), 1)

    points = tuple(
        Point(
            row=figures.row(row),
            figure=figure,
            x=round(WIDTH * (place + 0.5) / len(found), 1),
            mean=height(figure.mean.value),
            low=height((figure.low or figure.mean).value),
            high=height((figure.high or figure.mean).value),
        )
        for place, (row, figure) in enumerate(found.items())
    )
    return Course(
        metric=metric,
        points=points,
        path="M" + "L".join(f"{point.x} {point.mean}" for point in points),
        floor=height(still.mean.value) if still else None,
    )
