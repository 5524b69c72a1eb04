"""Quality of the heads on true video, and of rivals that need no training.

Everything is measured against the simulator's annotation, on pixels that hit something; motion on pixels whose point
is visible in the next frame. A depth that is known up to scale and shift is measured after both were fitted to the
clip, in disparity (least squares): `aligned`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.chamfer import dynamic_pixels
from components.evaluation.consistency.depth import FARTHEST
from components.evaluation.consistency.depth import aligned as disparity_aligned
from components.evaluation.motion import end_point_errors, mean_where, optical_flow
from components.geometry import warp
from components.index import IndexRow
from components.shards import read_part

if TYPE_CHECKING:
    from components.clip import Clip

DEPTH_METRICS = (
    "head_depth_absrel",
    "head_depth_delta1",  # share within 25 %
    "head_foreground_absrel",
    "head_depth_absrel_aligned",
    "head_foreground_absrel_aligned",
)
FLOW_METRICS = ("head_flow_epe", "head_moving_flow_epe")  # px: on all visible points, on those of dynamic objects
JOINT_METRICS = (
    "head_foreground_iou",
    "head_depth_change_error",  # m, on visible points of dynamic objects
    "head_depth_warp",  # m: |D_{t+1}(p + flow) - (D_t(p) + depth_change)| of the heads' own depth and motion
)
HEAD_METRICS = (*DEPTH_METRICS, *FLOW_METRICS, *JOINT_METRICS)
MEAN_CLIPS = 64  # of a data set, for its mean depth
Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was read off one video; None is not measured."""

    depth: Array | None = None  # T,H,W metres
    flow: Array | None = None  # T-1,H,W,2 pixels
    depth_change: Array | None = None  # T-1,H,W metres
    foreground: Array | None = None  # T,H,W in 0..1


def head_metrics(read: Read, clip: "Clip") -> NDArray[np.float64]:
    """HEAD_METRICS; NaN where there is nothing to measure."""
    moving = dynamic_pixels(clip)
    found = dict.fromkeys(HEAD_METRICS, float("nan"))
    if read.depth is not None:
        found |= _depth_metrics(read.depth, clip, moving & clip.valid)
    if read.flow is not None:
        errors = end_point_errors(read.flow, clip.flow)
        found["head_flow_epe"] = mean_where(errors, clip.visible)
        found["head_moving_flow_epe"] = mean_where(errors, clip.visible & moving[:-1])
    if read.foreground is not None:
        guess = read.foreground > 0.5
        joined = np.count_nonzero(guess | moving)
        found["head_foreground_iou"] = np.count_nonzero(guess & moving) / joined if joined else float("nan")
    if read.depth_change is not None:
        errors = np.abs(read.depth_change - clip.depth_change)
        found["head_depth_change_error"] = mean_where(errors, clip.visible & moving[:-1])
        if read.depth is not None and read.flow is not None:
            after = np.stack([warp(depth, flow) for depth, flow in zip(read.depth[1:], read.flow, strict=True)])
            errors = np.abs(after - (read.depth[:-1] + read.depth_change))
            found["head_depth_warp"] = mean_where(errors, clip.visible & clip.valid[:-1])
    return np.array([found[name] for name in HEAD_METRICS])


def rivals(clip: "Clip", decoded: NDArray[np.uint8], mean_depth: NDArray[np.float64]) -> dict[str, Read]:
    """What needs no heads.

    True depth of the first frame kept, the mean depth (H,W) of a data set, no motion, and optical flow on the `decoded`
    video (T,H,W,3), which is what the heads read.
    """
    first = np.broadcast_to(clip.depth[:1], clip.depth.shape)
    return {
        "first_frame_depth": Read(depth=first),
        "dataset_mean_depth": Read(depth=np.broadcast_to(mean_depth, clip.depth.shape)),
        "zero_flow": Read(flow=np.zeros_like(clip.flow)),
        "dis_flow": Read(flow=optical_flow(decoded)),
    }


def mean_depth(folder: Path, rows: Sequence[IndexRow]) -> NDArray[np.float64]:
    """Mean depth (H,W) in metres of each pixel where it hits something, over MEAN_CLIPS clips, evenly spaced."""
    total, count = np.zeros(1), np.zeros(1)
    for number in np.unique(np.linspace(0, len(rows) - 1, MEAN_CLIPS).round().astype(int)):
        clip = read_part(folder, rows[number].extent, ("depth", "valid")).arrays
        total = total + np.where(clip["valid"], clip["depth"], 0).sum(axis=0, dtype=np.float64)
        count = count + clip["valid"].sum(axis=0)
    everywhere = total.sum() / max(count.sum(), 1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), everywhere), np.float64)


def aligned(depth: Array, truth: Array, valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """`depth` (T,H,W) with the scale and shift of its disparity that fit `truth` best where `valid`."""
    disparity = 1 / np.maximum(np.asarray(depth, np.float64), 1 / FARTHEST)
    return disparity_aligned(disparity, truth, valid, farthest=FARTHEST)


def _depth_metrics(depth: Array, clip: "Clip", moving: NDArray[np.bool_]) -> dict[str, float]:
    relative = np.abs(depth - clip.depth) / clip.depth
    ratio = np.maximum(depth, 1 / FARTHEST) / clip.depth
    fitted = np.abs(aligned(depth, clip.depth, clip.valid) - clip.depth) / clip.depth
    return {
        "head_depth_absrel": mean_where(relative, clip.valid),
        "head_depth_delta1": mean_where((np.maximum(ratio, 1 / ratio) < 1.25).astype(np.float64), clip.valid),
        "head_foreground_absrel": mean_where(relative, moving),
        "head_depth_absrel_aligned": mean_where(fitted, clip.valid),
        "head_foreground_absrel_aligned": mean_where(fitted, moving),
    }
