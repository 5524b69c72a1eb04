"""4D Chamfer distance: moving points of a generated clip against those of the simulator, frame by frame, time-locked.

Of each frame: the mean distance from a predicted point to the nearest true one, and the other way round, averaged.
Distances are cut at a quarter of the scene's diameter, the diagonal of the box of all true dynamic points over time; a
set that is empty while the other is not counts as that far; two empty sets agree. Frame 0 is given to the model and
not measured. Metres in the world; as a ratio, over the diameter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.geometry import FloatArray, pixel_grid, unproject

if TYPE_CHECKING:
    from components.clip import Clip

POINTS = 300  # of a frame at most, evenly spaced in reading order: the same for every row
CAP = 0.25  # of the scene's diameter


@dataclass(frozen=True, kw_only=True)
class MovingPoints:
    """The simulator's visible dynamic points (N,3) of every frame, and the size of what they sweep, in metres."""

    frames: tuple[FloatArray, ...]
    diameter: float


def moving_points(clip: "Clip") -> MovingPoints:
    """The simulator's depth, unprojected at all pixels of dynamic objects."""
    dynamic = dynamic_pixels(clip)
    everything = _unproject(clip.depth, dynamic, clip)
    joined = np.concatenate(everything)
    diameter = float(np.linalg.norm(np.ptp(joined, axis=0))) if len(joined) else 0.0
    return MovingPoints(frames=tuple(thin(points) for points in everything), diameter=diameter)


def points_of(depth: NDArray[np.float32], foreground: NDArray[np.bool_], clip: "Clip") -> tuple[FloatArray, ...]:
    """World points of every frame of a generated clip: depth (T,H,W) at `foreground`, seen by the cameras of `clip`."""
    return tuple(thin(points) for points in _unproject(depth, foreground, clip))


def chamfer_4d(predicted: Sequence[FloatArray], truth: MovingPoints) -> float:
    """Mean over all frames but the first, in metres; NaN when nothing ever moves in truth."""
    if truth.diameter == 0:
        return float("nan")
    cap = CAP * truth.diameter
    pairs = list(zip(predicted, truth.frames, strict=True))[1:]
    return float(np.mean([frame_chamfer(one, other, cap=cap) for one, other in pairs]))


def frame_chamfer(one: FloatArray, other: FloatArray, *, cap: float) -> float:
    """Symmetric Chamfer distance of two point sets (N,3) and (M,3), distances cut at `cap`."""
    if not len(one) or not len(other):
        return 0.0 if len(one) == len(other) else cap
    there, back = nearest_distances(one, other, cap=cap)
    return float(there.mean() + back.mean()) / 2


def nearest_distances(one: FloatArray, other: FloatArray, *, cap: float) -> tuple[FloatArray, FloatArray]:
    """Distance of each of `one` (N,D) to the nearest of `other` (M,D), and the other way round, cut at `cap`."""
    from scipy.spatial import cKDTree

    trees = [cKDTree(points, leafsize=10, balanced_tree=False) for points in (one, other)]  # a third less time in all
    there, back = (  # beyond the bound it is infinite
        tree.query(points, distance_upper_bound=cap)[0] for tree, points in ((trees[1], one), (trees[0], other))
    )
    return np.minimum(there, cap), np.minimum(back, cap)


def dynamic_pixels(clip: "Clip") -> NDArray[np.bool_]:
    """Pixels (T,H,W) of dynamic objects."""
    return np.isin(clip.segmentation, [thing.id for thing in clip.objects if thing.dynamic])


def thin(points: FloatArray) -> FloatArray:
    """At most POINTS of the points, evenly spaced in their order."""
    if len(points) <= POINTS:
        return points
    chosen: FloatArray = points[np.linspace(0, len(points) - 1, POINTS).round().astype(int)]
    return chosen


def _unproject(depth: NDArray[np.float32], mask: NDArray[np.bool_], clip: "Clip") -> list[FloatArray]:
    grid = pixel_grid(*depth.shape[1:])
    return [
        unproject(grid[where], z[where], clip.intrinsics, camera)
        for z, where, camera in zip(depth, mask, clip.extrinsics, strict=True)
    ]
