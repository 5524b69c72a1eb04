"""Motion between frames: the judge's own optical flow, its error, and whether depth moves along with it.

Legend: T frames, K objects. Flow (T-1,H,W,2) in pixels: what is at p in frame t is at p + flow in t+1.
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.evaluation.colours import NOTHING
from components.geometry import pixel_grid, sample

if TYPE_CHECKING:
    from components.clip import Clip

FLOW_HEIGHT = 96  # pixels: smaller frames are enlarged to it, or patches of 8 pixels are as large as objects

Flow = NDArray[np.float32]


def optical_flow(frames: NDArray[np.uint8]) -> Flow:
    """Dense inverse search (Kroeger et al., 2016; OpenCV) between neighbouring frames (T,H,W,3).

    At full resolution and without variational refinement, which smooths motion over the edges of small objects: on
    simulated clips of 64 pixels the error is .40 px on moving points, of OpenCV's preset `medium` .72.
    """
    height, width = frames.shape[1:3]
    scale = max(1.0, FLOW_HEIGHT / height)
    size = (round(width * scale), round(height * scale))
    greys = [cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size) for frame in frames]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    search.setFinestScale(0)
    flows = [search.calc(one, other, None) for one, other in pairwise(greys)]  # type: ignore[call-overload]
    shrunk = [cv2.resize(flow, (width, height), interpolation=cv2.INTER_AREA) / scale for flow in flows]
    return np.stack(shrunk).astype(np.float32)


def end_point_errors(flow: NDArray[np.floating[Any]], truth: Flow) -> NDArray[np.floating[Any]]:
    """Distances (T-1,H,W) in pixels between the ends of two flows."""
    apart = flow - truth
    distances: NDArray[np.floating[Any]] = np.hypot(apart[..., 0], apart[..., 1])
    return distances


def mean_where(values: NDArray[np.floating[Any]], where: NDArray[np.bool_]) -> float:
    """Mean of `values` somewhere; NaN where that is nowhere."""
    chosen = values[where]
    return float(chosen.mean(dtype=np.float64)) if chosen.size else float("nan")


def object_depth_changes(clip: "Clip", ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean depth change (T-1,K) in metres of the visible points of each object; NaN where none is visible."""
    changes = np.full((len(clip.depth_change), len(ids)), np.nan)
    for step, visible in enumerate(clip.visible):
        for number, identity in enumerate(ids):
            here = visible & (clip.segmentation[step] == identity)
            if here.any():
                changes[step, number] = clip.depth_change[step][here].mean(dtype=np.float64)
    return changes


def depth_warp(
    depth: NDArray[np.float32],
    flow: Flow,
    labels: NDArray[np.int64],
    depth_changes: NDArray[np.float64],
    *,
    lost: NDArray[np.int64],
    cap: float,
) -> float:
    """Mean |D_{t+1}(p + flow) - (D_t(p) + depth_change)| in metres over the pixels p of objects, cut at `cap`.

    depth (T,H,W) and flow are read off the same video by instruments that know nothing of each other; depth_change
    (T-1,K) is the simulator's, the object's mean: so a clip that stands still pays for the motion it lacks. A pixel
    counts where all four pixels around p + flow have its label: at outlines depth is of no one surface. What the
    rotation of an object changes within it stays in the figure. lost (T-1,K): the pixels that truth shows of an object
    where the video has lost it, at either end of the step: each counts as `cap`, or else the best a video could do is
    to have no objects. NaN when no pixel counts, or `cap` is 0: nothing moves.
    """
    height, width = depth.shape[1:]
    grid = pixel_grid(height, width)
    residuals = []
    for step, (now, after) in enumerate(pairwise(labels)):
        here = now != NOTHING
        ends, label = grid[here] + flow[step][here], now[here]
        left, top = np.clip(np.floor(ends).astype(int), 0, (width - 2, height - 2)).T
        corners = [after[top + down, left + right] == label for down in (0, 1) for right in (0, 1)]
        inside = ((ends >= 0) & (ends <= (width - 1, height - 1))).all(axis=-1)
        kept = np.logical_and.reduce([inside, *corners])
        expected = depth[step][here] + depth_changes[step][label]
        residuals.append(np.abs(sample(depth[step + 1], ends) - expected)[kept])
    joined = np.concatenate(residuals)
    joined = np.minimum(joined[np.isfinite(joined)], cap)
    charged = int(lost.sum())
    count = joined.size + charged
    return float(joined.sum(dtype=np.float64) + cap * charged) / count if count and cap else float("nan")
