"""Optical flow and scene flow against truth. Legend: T frames, H height, W width.

Flow (T-1,H,W,2) in pixels; scene flow (T-1,H,W,3) in metres in the world; `where` (T-1,H,W) are the pixels that count.
A vector that is not finite counts as an outlier, with an error of the picture's diagonal, or of twice the true length
and at least METRES_LOST in space.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from components.evaluation.consistency.arrays import Floats, Mask, Sizes, Values
from components.geometry import unproject

METRES_LOST = 1.0


@dataclass(frozen=True, kw_only=True)
class FlowErrors:
    """epe: pixels; one_pixel: share with an error over 1 px; fl: KITTI's share of outliers, in 0..1. 0 is best."""

    epe: float
    one_pixel: float
    fl: float


@dataclass(frozen=True, kw_only=True)
class SceneFlowErrors:
    """epe3d: metres, 0 is best; strict, relaxed: shares that are right to 5 cm or 5 %, to 10 cm or 10 %; 1 is best."""

    epe3d: float
    strict: float
    relaxed: float


def flow_errors(flow: Values, truth: Values, where: Values) -> FlowErrors | None:
    """EPE = mean |f - f*|; 1px (Spring, Mehl et al., 2023); Fl (KITTI 2015, Menze and Geiger).

    An outlier of Fl is more than 3 px and more than 5 % of the true length away. None: `where` is empty.
    """
    sizes = Sizes()
    where = sizes.mask("where", where, "T-1", "H", "W")
    truth = sizes.truth("truth", truth, "T-1", "H", "W", 2, where=where)[where]
    flow = sizes.floats("flow", flow, "T-1", "H", "W", 2)[where]
    if not where.any():
        return None
    error = np.hypot(*(flow - truth).T)
    error = np.where(np.isfinite(error), error, np.hypot(*where.shape[1:]))
    length = np.hypot(*truth.T)
    outlier = (error > 3) & (error > 0.05 * length)
    return FlowErrors(epe=float(error.mean()), one_pixel=float((error > 1).mean()), fl=float(outlier.mean()))


def flow_errors_by_kind(
    flow: Values, truth: Values, *, visible: Values, dynamic: Values
) -> Mapping[str, FlowErrors | None]:
    """`flow_errors` of static, dynamic and occluded points.

    visible (T-1,H,W): the point is seen in the next frame; dynamic (T-1,H,W): it is on a dynamic object. occluded: what
    is not visible, whatever it is on; static and dynamic: visible alone. Sky and world are static.
    """
    sizes = Sizes()
    visible = sizes.mask("visible", visible, "T-1", "H", "W")
    dynamic = sizes.mask("dynamic", dynamic, "T-1", "H", "W")
    kinds = {"static": visible & ~dynamic, "dynamic": visible & dynamic, "occluded": ~visible}
    return {kind: flow_errors(flow, truth, where) for kind, where in kinds.items()}


def scene_flow(
    depth: Values,
    flow: Values,
    depth_change: Values,
    intrinsics: Values,
    extrinsics: Values,
    *,
    where: Values | None = None,
) -> Floats:
    """Motion (T-1,H,W,3) in metres in the world of the point at each pixel, from one frame to the next.

    depth (T or T-1,H,W), flow, depth_change, intrinsics (3,3) and extrinsics (T,4,4) as in a clip: the point at p with
    depth D is at p + flow with depth D + depth_change. Not finite where one of them is not, and outside `where`
    (T-1,H,W), which saves time.
    """
    sizes = Sizes()
    flow = sizes.floats("flow", flow, "T-1", "H", "W", 2)
    depth = sizes.floats("depth", depth, "D", "H", "W")[: len(flow)]
    change = sizes.floats("depth_change", depth_change, "T-1", "H", "W")
    intrinsics = sizes.truth("intrinsics", intrinsics, 3, 3)
    extrinsics = sizes.truth("extrinsics", extrinsics, "T", 4, 4)
    counted = np.ones(depth.shape, np.bool_) if where is None else sizes.mask("where", where, "T-1", "H", "W")
    step, row, column = np.nonzero(counted)
    pixels, z = np.column_stack([column, row]).astype(np.float64), depth[counted]
    motion = np.full((*depth.shape, 3), np.nan)
    with np.errstate(invalid="ignore"):
        before = unproject(pixels, z, intrinsics, extrinsics[step])
        after = unproject(pixels + flow[counted], z + change[counted], intrinsics, extrinsics[step + 1])
        motion[counted] = after - before
    return motion


def scene_flow_errors(found: Values, truth: Values, where: Values) -> SceneFlowErrors | None:
    """EPE3D, Acc3DS and Acc3DR of scene flow (T-1,H,W,3) (FlowNet3D, Liu et al., 2019; HPLFlowNet, Gu et al., 2019).

    Right is below 5 cm or below 5 % of the true length (strict), below 10 cm or 10 % (relaxed). None: `where` is empty.
    """
    sizes = Sizes()
    where = sizes.mask("where", where, "T-1", "H", "W")
    truth = sizes.truth("truth", truth, "T-1", "H", "W", 3, where=where)[where]
    found = sizes.floats("scene flow", found, "T-1", "H", "W", 3)[where]
    if not where.any():
        return None
    length = np.linalg.norm(truth, axis=-1)
    with np.errstate(invalid="ignore"):
        error = np.linalg.norm(found - truth, axis=-1)
    error = np.where(np.isfinite(error), error, np.maximum(METRES_LOST, 2 * length))
    return SceneFlowErrors(
        epe3d=float(error.mean()),
        strict=float(_right(error, length, 0.05).mean()),
        relaxed=float(_right(error, length, 0.1).mean()),
    )


def _right(error: Floats, length: Floats, limit: float) -> Mask:
    """Below `limit` metres, or below that share of the true length."""
    found: Mask = (error < limit) | (error < limit * length)
    return found
