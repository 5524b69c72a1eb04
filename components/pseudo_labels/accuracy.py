"""How far labels are from the truth: only where a simulator made the video.

Legend: T frames, H height, W width.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

NEAREST = 1e-6  # 1/metres: keeps a disparity that fits nowhere from being divided by


def align_disparity(
    disparity: NDArray[Any], depth: NDArray[np.float32], valid: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Metres (...,H,W) by the one scale and shift that bring `disparity` (...,H,W) nearest to 1/depth, least squares.

    Values beyond the farthest valid depth become that depth: an affine disparity says nothing out there.
    """
    values, target = disparity[valid].astype(np.float64), 1 / depth[valid].astype(np.float64)
    spread = values.var()
    scale = ((values - values.mean()) * (target - target.mean())).mean() / spread if spread > 0 else 0.0
    aligned = scale * (disparity.astype(np.float64) - values.mean()) + target.mean()
    return np.asarray(1 / np.maximum(aligned, max(target.min(), NEAREST)), np.float64)


def absolute_relative_error(depth: NDArray[Any], truth: NDArray[np.float32], where: NDArray[np.bool_]) -> float:
    """AbsRel: mean of |depth - truth| / truth over the pixels `where`."""
    return float((np.abs(depth - truth) / truth)[where].mean())


def end_point_error(flow: NDArray[Any], truth: NDArray[np.float32]) -> NDArray[np.float64]:
    """Pixels (T-1,H,W) between where two flows (T-1,H,W,2) point."""
    return np.asarray(np.linalg.norm(flow.astype(np.float64) - truth, axis=-1), np.float64)
