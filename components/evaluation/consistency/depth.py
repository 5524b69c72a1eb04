"""Depth against truth: AbsRel and delta1, metric or after one scale and shift per clip in disparity.

Definitions as in the benchmark of Video-Depth-Anything (Chen et al., 2025): the mean over frames of the mean over the
frame's valid pixels. Legend: T frames, H height, W width.
"""

import numpy as np

from components.evaluation.consistency.arrays import Floats, Mask, Measured, Sizes, Values

FARTHEST = 100.0  # metres: no disparity is read as farther
DELTA = 1.25


def abs_rel(depth: Values, truth: Values, valid: Values) -> Measured:
    """AbsRel: mean |d - d*| / d*, as a ratio; 0 is best. depth, truth (T,H,W) in metres; valid (T,H,W).

    A depth that is not finite, or not positive, counts 1, as if nothing had been seen. None: no pixel is valid.
    """
    depth, truth, valid = _enter(depth, truth, valid)
    relative = np.abs(depth - truth) / np.where(valid, truth, 1.0)
    return _mean_of_frames(np.where(depth > 0, relative, 1.0), valid)


def delta1(depth: Values, truth: Values, valid: Values) -> Measured:
    """Share of pixels with max(d/d*, d*/d) < 1.25, in 0..1; 1 is best. Shapes as in `abs_rel`.

    A depth that is not finite, or not positive, is outside. None: no pixel is valid.
    """
    depth, truth, valid = _enter(depth, truth, valid)
    ratio = np.where(depth > 0, depth, np.inf) / np.where(valid, truth, 1.0)
    with np.errstate(divide="ignore"):
        worst = np.maximum(ratio, 1 / ratio)
    return _mean_of_frames((worst < DELTA).astype(np.float64), valid)


def aligned(disparity: Values, truth: Values, valid: Values, *, farthest: float = FARTHEST) -> Floats:
    """Depth (T,H,W) in metres of `disparity` (T,H,W), known up to scale and shift: both fitted to 1 / truth.

    Least squares over all valid pixels of the clip at once (Ranftl et al., 2020), so flicker of the scale stays in the
    figures. A fit below 1 / `farthest` is read as `farthest`. Disparity that is not finite is left out of the fit and
    stays NaN, which `abs_rel` and `delta1` count as wrong. Disparity that is the same everywhere, or no valid pixel:
    the mean disparity of truth, or `farthest` where it has none.
    """
    sizes = Sizes()
    valid = sizes.mask("valid", valid, "T", "H", "W")
    disparity = sizes.floats("disparity", disparity, "T", "H", "W")
    truth = sizes.truth("truth", truth, "T", "H", "W", where=valid)
    disparity = np.where(np.isfinite(disparity), disparity, np.nan)
    counted = valid & np.isfinite(disparity)
    if not counted.any():
        return np.where(np.isfinite(disparity), farthest, np.nan)
    found, wanted = disparity[counted], 1 / truth[counted]
    centred = found - found.mean()
    spread = centred @ centred
    scale = centred @ wanted / spread if spread else 0.0
    fitted = wanted.mean() + scale * (disparity - found.mean())
    return np.asarray(1 / np.maximum(fitted, 1 / farthest), np.float64)


def disparity_of(depth: Values) -> Floats:
    """1 / depth of a depth in metres; NaN where the depth is not finite or not positive."""
    depth = Sizes().floats("depth", depth, "T", "H", "W")
    seen = np.isfinite(depth) & (depth > 0)
    return np.asarray(np.where(seen, 1 / np.where(seen, depth, 1.0), np.nan), np.float64)


def _enter(depth: Values, truth: Values, valid: Values) -> tuple[Floats, Floats, Mask]:
    """The arrays; depth is 0 where it is of no use."""
    sizes = Sizes()
    valid = sizes.mask("valid", valid, "T", "H", "W")
    truth = sizes.truth("truth", truth, "T", "H", "W", where=valid)
    depth = sizes.floats("depth", depth, "T", "H", "W")
    return np.where(np.isfinite(depth) & (depth > 0), depth, 0.0), truth, valid & (truth > 0)


def _mean_of_frames(values: Floats, valid: Mask) -> Measured:
    counts = valid.sum(axis=(1, 2))
    seen = counts > 0
    if not seen.any():
        return None
    return float((np.where(valid, values, 0.0).sum(axis=(1, 2))[seen] / counts[seen]).mean())
