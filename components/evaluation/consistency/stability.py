"""Motion stability: depth that moves along with the picture, jerk, and free fall.

Legend: T frames, H height, W width, K objects. Centres (T,K,3) in metres in the world.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.consistency.arrays import Floats, Mask, Measured, Sizes, Values, mean_of
from components.geometry import pixel_grid, sample

FREE = 0.02  # of g dt^2: how far a second difference in free fall may be from it


def depth_warp_l1(
    depth: Values,
    flow: Values,
    depth_change: Values,
    visible: Values,
    *,
    segmentation: Values | None = None,
    lost: float = 1.0,
) -> Measured:
    """Mean |D_{t+1}(p + flow) - (D_t(p) + depth_change(p))| in metres over visible pixels p, D_{t+1} read bilinearly.

    depth (T,H,W) in metres; flow (T-1,H,W,2) in pixels; depth_change (T-1,H,W) in metres; visible (T-1,H,W). With the
    video's own flow and depth_change it says whether a 4D model agrees with itself, and a still video is perfect; with
    truth's, whether depth moves as it should. segmentation (T,H,W): only pixels whose four neighbours at the end carry
    the same id count, as at outlines the depth between pixels is of no one surface. A pixel with a value that is not
    finite counts as `lost` metres. None: no pixel counts.
    """
    sizes = Sizes()
    depth = sizes.floats("depth", depth, "T", "H", "W")
    visible = sizes.mask("visible", visible, "T-1", "H", "W")
    flow = sizes.floats("flow", flow, "T-1", "H", "W", 2)
    change = sizes.floats("depth_change", depth_change, "T-1", "H", "W")
    if segmentation is not None:
        ids = sizes.integers("segmentation", segmentation, "T", "H", "W")
        visible = np.where(on_one_surface(flow, ids), visible, False)
    grid = pixel_grid(*depth.shape[1:])
    residuals = [np.zeros(0)]
    for step, here in enumerate(visible):
        ends = grid[here] + flow[step][here]
        readable = np.isfinite(ends).all(axis=-1)
        ends = np.where(readable[:, None], ends, 0.0)
        with np.errstate(invalid="ignore"):
            apart = np.abs(sample(depth[step + 1], ends) - (depth[step][here] + change[step][here]))
        residuals.append(np.where(np.isfinite(apart) & readable, apart, lost))
    return mean_of(np.concatenate(residuals))


def on_one_surface(flow: Floats, ids: NDArray[np.integer[Any]]) -> Mask:
    """Where (T-1,H,W) the four pixels around p + flow all have the id of p, of ids (T,H,W); also without flow."""
    height, width = ids.shape[1:]
    readable = np.asarray(np.isfinite(flow).all(axis=-1), np.bool_)
    ends = np.where(readable[..., None], pixel_grid(height, width) + flow, 0.0)
    left, top = np.moveaxis(np.clip(np.floor(ends), 0, (max(width - 2, 0), max(height - 2, 0))).astype(int), -1, 0)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    step = np.arange(len(flow))[:, None, None]
    corners = [ids[1:][step, y, x] == ids[:-1] for y in (top, bottom) for x in (left, right)]
    found: Mask = np.logical_and.reduce(corners) | ~readable
    return found


def free_flight(centres: Values, *, fps: float, gravity: Values, tolerance: float = FREE) -> Mask:
    """Where (T-2,K) truth's centres of mass fall freely: their second difference is g dt^2 within `tolerance` of it.

    centres (T,K,3) in metres, of truth; gravity (3,) in m/s^2. [t, k] speaks of frames t, t+1, t+2. Everything else is
    contact: with the floor, another object, or what hangs. Without gravity: where nothing accelerates at all.
    """
    sizes = Sizes()
    centres = sizes.truth("centres", centres, "T", "K", 3)
    fall = sizes.truth("gravity", gravity, 3) / fps**2
    away = np.linalg.norm(np.diff(centres, 2, axis=0) - fall, axis=-1)
    limit = max(tolerance * float(np.linalg.norm(fall)), 1e-5)  # clips hold float32
    found: Mask = away <= limit
    return found


def inertial_residual(centres: Values, free: Values, *, fps: float, gravity: Values) -> Measured:
    """Mean |x_{t+2} - 2 x_{t+1} + x_t - g dt^2| in metres outside contacts; 0 is best.

    centres (T,K,3) in metres; free (T-2,K) from `free_flight` of truth; gravity (3,) in m/s^2. What hangs in the air
    where it should fall has g dt^2, .038 m at 16 frames a second. A step with a lost centre (not finite) counts as that
    much. None: nothing is ever free, or fewer than three frames.
    """
    sizes = Sizes()
    centres = sizes.floats("centres", centres, "T", "K", 3)
    fall = sizes.truth("gravity", gravity, 3) / fps**2
    if len(centres) < 3:
        return None
    free = sizes.mask("free", free, len(centres) - 2, "K")
    with np.errstate(invalid="ignore"):
        residual = np.linalg.norm(np.diff(centres, 2, axis=0) - fall, axis=-1)[free]
    return mean_of(np.where(np.isfinite(residual), residual, np.linalg.norm(fall)))


def jerk(centres: Values, free: Values, *, fps: float) -> Measured:
    """Mean |third difference of the centres| / dt^3 in m/s^3 outside contacts, where it is 0 in truth.

    centres (T,K,3) in metres; free (T-2,K) as in `inertial_residual`: all four frames must be free. Steps with a lost
    centre are left out: what a lost object costs, other metrics say. None: no four frames are free and seen.
    """
    sizes = Sizes()
    centres = sizes.floats("centres", centres, "T", "K", 3)
    if len(centres) < 4:
        return None
    free = sizes.mask("free", free, len(centres) - 2, "K")
    with np.errstate(invalid="ignore"):
        third = np.linalg.norm(np.diff(centres, 3, axis=0), axis=-1) * fps**3
    chosen = third[free[:-1] & free[1:]]
    return mean_of(chosen[np.isfinite(chosen)])
