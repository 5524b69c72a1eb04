"""Where objects go in the picture, against where they went in truth. Legend: T frames, K objects.

Frame 0 is given to the model: nothing is measured on it. Centres are in pixels, NaN where an object is not seen; an
object counts in those frames in which truth shows it.
"""

import numpy as np
from numpy.typing import NDArray

FINAL_FRAMES = 4
Centres = NDArray[np.float64]  # T,K,2


def centroid_errors(found: Centres, truth: Centres) -> tuple[float, float]:
    """Mean distance over all frames (ADE), and over the last FINAL_FRAMES (FDE), in pixels.

    A lost object is taken to be where it was seen last. NaN when truth shows no object in those frames.
    """
    apart = np.linalg.norm(carried_forward(found, truth[0])[1:] - truth[1:], axis=-1)
    return _mean(apart), _mean(apart[-FINAL_FRAMES:])


def permanence(found: Centres, truth: Centres) -> float:
    """Share of the frames of truth's objects in which the object is found; NaN when truth shows none."""
    seen = np.isfinite(truth[1:, :, 0])
    return float(np.isfinite(found[1:, :, 0])[seen].mean()) if seen.any() else float("nan")


def carried_forward(centres: Centres, start: NDArray[np.float64]) -> Centres:
    """Fill what is NaN with the last centre before it; before the first with `start` (K,2)."""
    filled = centres.copy()
    previous = start
    for row in filled:
        lost = ~np.isfinite(row[:, 0])
        row[lost] = previous[lost]
        previous = row
    return filled


def _mean(values: NDArray[np.float64]) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if defined.size else float("nan")
