"""Temporal alignment error: depth of one frame, moved into the next, against the depth that is found there.

Legend: T frames, H height, W width. Depth that is not finite or not positive is not moved; where something is expected
and nothing usable is found, the error is 1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.consistency.arrays import Floats, Mask, Measured, Sizes, Values
from components.geometry import pixel_grid, project, unproject


def temporal_alignment_error(depth: Values, valid: Values, intrinsics: Values, extrinsics: Values) -> Measured:
    """TAE as the benchmark of Video-Depth-Anything (Chen et al., 2025) has it, as a ratio: times 100 it is theirs.

    depth (T,H,W) in metres; valid (T,H,W) bool; intrinsics (3,3); extrinsics (T,4,4), world to camera. Every pixel of a
    frame is moved by the cameras alone, forwards and backwards; the later of two that fall on one pixel stays; mean of
    |moved - found| / found over valid pixels, over pairs of frames; a pair without such pixels counts 0. So whatever
    moves in the world counts as an error, and a video that stands still has none. None: fewer than two frames.
    """
    sizes = Sizes()
    depth = _usable(sizes.floats("depth", depth, "T", "H", "W"))
    valid = sizes.mask("valid", valid, "T", "H", "W")
    intrinsics = sizes.truth("intrinsics", intrinsics, 3, 3)
    extrinsics = sizes.truth("extrinsics", extrinsics, "T", 4, 4)
    errors = []
    for first, second in ((a, b) for t in range(len(depth) - 1) for a, b in ((t, t + 1), (t + 1, t))):
        moved = _moved_by_cameras(depth[first], intrinsics, extrinsics[first], extrinsics[second])
        counted = (moved > 0) & (depth[second] > 0) & valid[second]
        apart = np.abs(moved[counted] - depth[second][counted]) / depth[second][counted]
        errors.append(float(apart.mean()) if apart.size else 0.0)
    return float(np.mean(errors)) if errors else None


def moving_alignment_error(
    depth: Values, flow: Values, depth_change: Values, where: Values, *, segmentation: Values | None = None
) -> Measured:
    """The same on points that move: mean |moved - found| / moved of points moved by their scene flow, as a ratio.

    depth (T,H,W) in metres is the video's; flow (T-1,H,W,2) in pixels and depth_change (T-1,H,W) in metres say where
    each point goes, best the simulator's: with the video's own, one that stands still has no error. where (T-1,H,W):
    the points that count, such as visible ones of dynamic objects. segmentation (T,H,W), best truth's: only points that
    end on a pixel of their own id count, as at outlines rounding takes them off it. Of points that fall on one pixel
    the nearest stays. None: no point counts, or stays in the picture.
    """
    sizes = Sizes()
    depth = _usable(sizes.floats("depth", depth, "T", "H", "W"))
    where = sizes.mask("where", where, "T-1", "H", "W")
    flow = sizes.floats("flow", flow, "T-1", "H", "W", 2)
    change = sizes.floats("depth_change", depth_change, "T-1", "H", "W")
    if segmentation is not None:
        where = where & ends_on_own(flow, sizes.integers("segmentation", segmentation, "T", "H", "W"))
    grid = pixel_grid(*depth.shape[1:])
    errors: list[Floats] = []
    for step, here in enumerate(where):
        good = here & (depth[step] > 0) & np.isfinite(flow[step]).all(axis=-1) & np.isfinite(change[step])
        moved = _splat(
            grid[good] + flow[step][good], depth[step][good] + change[step][good], depth.shape[1:], nearest=True
        )
        hit = moved > 0
        found = depth[step + 1][hit]
        errors.append(np.where(found > 0, np.abs(moved[hit] - found) / moved[hit], 1.0))
        errors.append(np.ones(int((here & ~good).sum())))
    joined = np.concatenate([np.zeros(0), *errors])
    return float(joined.mean()) if joined.size else None


def _moved_by_cameras(depth: Floats, intrinsics: Floats, before: Floats, after: Floats) -> Floats:
    """Depth (H,W) as the camera `after` sees the points that `before` saw; 0 where none falls."""
    if np.array_equal(before, after):  # each point falls on its own pixel: no need to compute it
        return depth
    seen = depth > 0
    points = unproject(pixel_grid(*depth.shape)[seen], depth[seen], intrinsics, before)
    pixels, z = project(points, intrinsics, after)
    return _splat(pixels, z, depth.shape, nearest=False)


def ends_on_own(flow: Floats, ids: NDArray[np.integer[Any]]) -> Mask:
    """Where (T-1,H,W) the pixel nearest to p + flow has the id of p, of ids (T,H,W); also where flow says nothing."""
    height, width = ids.shape[1:]
    column, row = np.moveaxis(_round(pixel_grid(height, width) + flow), -1, 0)
    step = np.arange(len(flow))[:, None, None]
    after = ids[1:][step, row.clip(0, height - 1), column.clip(0, width - 1)]
    found: Mask = (after == ids[:-1]) | ~np.isfinite(flow).all(axis=-1)
    return found


def _usable(depth: Floats) -> Floats:
    return np.where(np.isfinite(depth) & (depth > 0), depth, 0.0)


def _splat(pixels: Floats, z: Floats, size: tuple[int, ...], *, nearest: bool) -> Floats:
    """Depth (H,W) of points at their nearest pixels, 0 where none falls; the nearest point stays, or the last."""
    height, width = size
    column, row = _round(pixels).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (z > 0)
    column, row, z = column[inside], row[inside], z[inside]
    if nearest:
        order = np.argsort(-z, kind="stable")
        column, row, z = column[order], row[order], z[order]
    picture = np.zeros((height, width))
    picture[row, column] = z
    return picture


def _round(pixels: Floats) -> NDArray[np.int64]:
    """To the nearest pixel, far outside where that is not a number or too large to count."""
    return np.rint(np.clip(np.nan_to_num(pixels, nan=-1e6), -1e6, 1e6)).astype(np.int64)
