"""Where objects go in the picture, against where they went in truth. Legend: T frames, K objects.

Frame 0 is given to the model: nothing is measured on it. Centres and areas are in pixels, a centre NaN where an
object is not seen; an object counts in those frames in which truth shows it.
"""

import numpy as np
from numpy.typing import NDArray

from components.evaluation.colours import SEEN

FINAL_FRAMES = 4
PRESENT = 0.2  # of the area that truth shows of an object
Centres = NDArray[np.float64]  # T,K,2
Areas = NDArray[np.int64]  # T,K


def centroid_errors(found: Centres, truth: Centres) -> tuple[float, float]:
    """Mean distance over all frames (ADE), and over the last FINAL_FRAMES (FDE), in pixels.

    A lost object is taken to be where it was seen last. NaN when truth shows no object in those frames.
    """
    apart = np.linalg.norm(carried_forward(found, truth[0])[1:] - truth[1:], axis=-1)
    return _mean(apart), _mean(apart[-FINAL_FRAMES:])


def lost(found: Areas, truth: Areas) -> NDArray[np.bool_]:
    """Where (T,K) truth shows an object of which less than PRESENT of its area, or fewer than SEEN pixels, is left."""
    gone: NDArray[np.bool_] = (truth >= SEEN) & (found < np.maximum(SEEN, PRESENT * truth))
    return gone


def permanence(found: Areas, truth: Areas) -> float:
    """Share of the frames of truth's objects in which the object is not lost; NaN when truth shows none."""
    seen = truth[1:] >= SEEN
    return 1 - float(lost(found, truth)[1:][seen].mean()) if seen.any() else float("nan")


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
