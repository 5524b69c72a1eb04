"""How far a column leans beyond its point of balance."""

import numpy as np

BALANCED = 2.0  # degrees around the point of balance that are left out: too slow to move within a clip


def draw_lean(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """Degrees, uniform over `bounds` but not within BALANCED of 0; the parameters' rules see that some are left."""
    low, high = bounds
    intervals = [(a, b) for a, b in ((low, min(high, -BALANCED)), (max(low, BALANCED), high)) if a <= b]
    first, last = intervals[0], intervals[-1]
    place = first[0] + float(rng.uniform(0.0, sum(b - a for a, b in intervals)))
    return place if place <= first[1] else min(last[0] + place - first[1], last[1])
