"""Loss curves as SVG paths: small panels, one for each quantity that a training stage logged."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.errors import Phys4dError
from components.report.numbers import written

WIDTH, HEIGHT = 240.0, 80.0  # of the drawing; the page stretches it
POINTS = 200  # of a path at most: more steps are averaged in groups
SMOOTHED = 0.08  # share of the points that the strong line averages over
LOGARITHMIC = 30.0  # ratio of largest to smallest value above which the axis is logarithmic

Series = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One quantity over training. raw, smooth: SVG paths; texts: numbers as the panel writes them."""

    name: str
    raw: str
    smooth: str
    logarithmic: bool
    low: str
    high: str
    first: str
    last: str
    first_step: int
    last_step: int


def read_panels(path: Path) -> tuple[Panel, ...]:
    """The panels of a losses.csv (step,name,value), in the order in which its names first appear."""
    series: dict[str, list[tuple[int, float]]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                series.setdefault(line["name"], []).append((int(line["step"]), float(line["value"])))
    except FileNotFoundError:
        return ()
    except (KeyError, TypeError, ValueError) as error:
        raise Phys4dError(
            f"{path}: not readable ({error!r}), expected lines of step,name,value: train again"
        ) from error
    return tuple(panel for name, points in series.items() if (panel := _panel(name, points)))


def _panel(name: str, points: Sequence[tuple[int, float]]) -> Panel | None:
    finite = [(step, value) for step, value in sorted(points) if math.isfinite(value)]
    if not finite:
        return None
    steps, values = (np.array(column, np.float64) for column in zip(*finite, strict=True))
    across, raw = _thinned(steps), _thinned(values)
    smooth = _moving_mean(raw, max(1, round(SMOOTHED * len(raw))))
    logarithmic = bool(raw.min() > 0 and raw.max() / raw.min() > LOGARITHMIC)
    shape = np.log if logarithmic else np.asarray
    low, high = float(shape(raw).min()), float(shape(raw).max())
    return Panel(
        name=name.replace("_", " "),
        raw=_path(across, shape(raw), low, high),
        smooth=_path(across, shape(smooth), low, high),
        logarithmic=logarithmic,
        low=brief(float(raw.min())),
        high=brief(float(raw.max())),
        first=brief(float(smooth[0])),
        last=brief(float(smooth[-1])),
        first_step=int(steps[0]),
        last_step=int(steps[-1]),
    )


def brief(value: float) -> str:
    """Three digits that count; a dash where there is no number."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -4 < size < 5:
        mantissa, exponent = f"{value:.1e}".replace("-", "−").split("e")
        return f"{mantissa}e{int(exponent.replace('−', '-'))}".replace("e-", "e−")
    return written(value, max(0, 2 - size))


def _thinned(values: Series) -> Series:
    groups = np.array_split(values, min(POINTS, len(values)))
    return np.array([group.mean() for group in groups])


def _moving_mean(values: Series, window: int) -> Series:
    """Centred mean over `window` values, fewer at the ends."""
    sums = np.concatenate([[0.0], values.cumsum()])
    places = np.arange(len(values))
    start, end = np.maximum(places - window // 2, 0), np.minimum(places + window // 2 + 1, len(values))
    return np.asarray((sums[end] - sums[start]) / (end - start), np.float64)


def _path(across: Series, up: Series, low: float, high: float) -> str:
    span = (across[-1] - across[0]) or 1.0
    x = (across - across[0]) / span * WIDTH
    y = HEIGHT * (1 - (up - low) / ((high - low) or 1.0))
    return "M" + "L".join(f"{left:.1f} {top:.1f}" for left, top in zip(x, y, strict=True))
