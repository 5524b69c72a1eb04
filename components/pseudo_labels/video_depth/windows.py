"""A long video in overlapping windows (Video-Depth-Anything, arXiv 2501.12375, section 3.3), and their depths as one.

A window sees key frames of the one before it, so that both say what they hold the same places for; by these it gets
the scale and the shift of what came before, and over eight frames one becomes the other. Legend: T frames, H height,
W width.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

LENGTH = 32  # frames of a window, as it was trained
OVERLAP = 10  # of them that the window before it has seen
STEP = LENGTH - OVERLAP
KEYS = (0, 12, *range(24, LENGTH))  # places in a window of the frames that the next one begins with
BLENDED = 8  # frames that two windows give together
ALIGNED = OVERLAP - BLENDED  # frames by which a window is aligned
NOTHING = 1e-12  # of the mean square: a variance below this share is rounding

Depths = NDArray[np.float32]  # T,H,W


def windows(frames: int) -> Iterator[tuple[int, ...]]:
    """The frames that each window sees, by their numbers in a video of `frames`; its end is filled with the last."""
    seen: tuple[int, ...] = ()
    for start in range(0, max(1, frames - ALIGNED), STEP):  # a later start would give no frame
        own = tuple(min(number, frames - 1) for number in range(start, start + LENGTH))
        seen = (*(seen[key] for key in KEYS), *own[OVERLAP:]) if seen else own
        yield seen


def stitch(depths: Iterable[Depths], frames: int, *, align: bool) -> Depths:
    """Depth (frames,H,W) of the windows' depths (LENGTH,H,W), which it takes one by one and does not keep.

    align: bring each to the scale and shift of the first; depth in metres has none.
    """
    following = iter(depths)
    first = next(following)
    result = np.empty((frames, *first.shape[1:]), np.float32)
    result[:LENGTH] = first[:frames]
    anchors = first[list(KEYS[:ALIGNED])].copy()
    for number, depth in enumerate(following, 1):
        aligned = _aligned(depth, anchors) if align else depth
        start = number * STEP
        shared = result[start + ALIGNED : start + OVERLAP]
        weights = np.linspace(0, 1, BLENDED, dtype=np.float32)[: len(shared), None, None]
        shared[:] = shared * (1 - weights) + aligned[ALIGNED:OVERLAP][: len(shared)] * weights
        added = result[start + OVERLAP : start + LENGTH]
        added[:] = aligned[OVERLAP:][: len(added)]
        anchors[1:] = aligned[list(KEYS[1:ALIGNED])]
    return result


def _aligned(depth: Depths, anchors: Depths) -> Depths:
    """`depth`, scaled and shifted so that its first frames come nearest to `anchors` (least squares), not below 0."""
    seen, wanted = depth[: len(anchors)].astype(np.float64), anchors.astype(np.float64)
    centred = seen - seen.mean()
    variance = (centred**2).mean()
    if variance <= NOTHING * (seen**2).mean():  # a plain picture says nothing about the scale
        return depth
    scale = (centred * wanted).mean() / variance
    shift = wanted.mean() - scale * seen.mean()
    result: Depths = np.maximum(depth * np.float32(scale) + np.float32(shift), 0)
    return result
