"""Lines of ropes at frame 0, as the ends of links of one length."""

import numpy as np
from scipy.optimize import brentq

from components.simulation.scene import FloatArray

CLEAR = 2e-3  # metres between a rope and the bar it lies over


def straight(start: FloatArray, end: FloatArray, links: int) -> FloatArray:
    """Points (links+1,3) from one place to another."""
    return start + np.linspace(0.0, 1.0, links + 1)[:, None] * (end - start)


def sagging(start: FloatArray, span: float, slack: float, links: int) -> FloatArray:
    """Points (links+1,3) of a rope that hangs under its own weight alone over a span along +x; slack: of the span.

    In a chain of equal links the pull across is the same everywhere and the pull down grows evenly from link to link:
    so do the tangents of their slopes.
    """
    link = span * (1 + slack) / links
    steps = np.arange(links) - (links - 1) / 2

    def excess(growth: float) -> float:
        return float(link * np.cos(np.arctan(growth * steps)).sum() - span)

    slopes = np.arctan(brentq(excess, 1e-6, 10.0) * steps)
    ways = link * np.stack([np.cos(slopes), np.zeros(links), np.sin(slopes)], axis=1)
    return np.asarray(start + np.concatenate([np.zeros((1, 3)), np.cumsum(ways, axis=0)]), np.float64)


def over(centre: FloatArray, *, bar: float, rope: float, length: float, excess: float, links: int) -> FloatArray:
    """Points (links+1,3) of a rope over a bar along y; both radii in metres; excess: how much more is on +x."""
    link = length / links
    around = float(np.hypot(bar + rope + CLEAR, link / 2))  # links are chords: their middles clear the bar

    def place(way: float) -> FloatArray:
        """The point `way` metres along the line from the top of the bar."""
        if abs(way) < around * np.pi / 2:
            return np.array([around * np.sin(way / around), 0.0, around * np.cos(way / around)])
        return np.array([np.copysign(around, way), 0.0, around * np.pi / 2 - abs(way)])

    def too_far(way: float, here: FloatArray) -> float:
        return float(np.linalg.norm(place(way) - here)) - link

    way = (excess - length) / 2
    points = [place(way)]
    for _ in range(links):
        way = brentq(too_far, way + link / 2, way + 2 * link, args=(points[-1],))
        points.append(place(way))
    return np.asarray(centre + np.array(points), np.float64)
