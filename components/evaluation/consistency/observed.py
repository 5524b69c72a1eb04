"""What is known of a video, and what of it is where: points, centres and areas of objects.

Legend: T frames, H height, W width, P tracked points, K objects. Lengths in metres in the world.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.evaluation.consistency.arrays import Floats, Values
from components.geometry import pixel_grid, unproject

if TYPE_CHECKING:
    from components.clip import Clip


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What instruments, or the heads of a 4D model, read off a video; numpy or torch; None is not known.

    rgb (T,H,W,3) in 0..255; depth (T,H,W) in metres; flow (T-1,H,W,2) in pixels; depth_change (T-1,H,W) in metres;
    segmentation (T,H,W) with the ids of truth's objects; tracks (T,P,3) of truth's points, NaN where lost.
    """

    rgb: Values | None = None
    depth: Values | None = None
    flow: Values | None = None
    depth_change: Values | None = None
    segmentation: Values | None = None
    tracks: Values | None = None

    @classmethod
    def of(cls, clip: "Clip") -> "Observed":
        """A clip as a video of which everything is known."""
        return cls(
            rgb=clip.rgb,
            depth=clip.depth,
            flow=clip.flow,
            depth_change=clip.depth_change,
            segmentation=clip.segmentation,
            tracks=clip.tracks,
        )


def dynamic_ids(clip: "Clip") -> NDArray[np.int64]:
    """Ids (K,) of dynamic objects."""
    return np.array([thing.id for thing in clip.objects if thing.dynamic], np.int64)


def surface_points(depth: Floats, where: NDArray[np.bool_], clip: "Clip") -> list[Floats]:
    """Points (N,3) of every frame at the pixels `where` (T,H,W) of `depth`, by the cameras of `clip`.

    NaN where the depth is not finite or not positive.
    """
    grid = pixel_grid(*depth.shape[1:])
    read = np.where(np.isfinite(depth) & (depth > 0), depth, np.nan)
    return [
        unproject(grid[here], z[here], clip.intrinsics, camera)
        for here, z, camera in zip(where, read, clip.extrinsics, strict=True)
    ]


def points_by_object(points: Values, track_ids: Values, ids: Sequence[int]) -> dict[int, list[Floats]]:
    """Tracked points (T,P,3), apart by object: each id's (N,3) of every frame."""
    tracks, owners = np.asarray(points, np.float64), np.asarray(track_ids)
    return {one: list(tracks[:, owners == one]) for one in ids}


def centres_of(objects: dict[int, list[Floats]]) -> Floats:
    """Mean (T,K,3) of each object's finite points of every frame; NaN where it has none."""
    columns = [np.stack([_mean(points) for points in frames]) for frames in objects.values()]
    return np.stack(columns, axis=1)


def _mean(points: Floats) -> Floats:
    good = points[np.isfinite(points).all(axis=-1)]
    return good.mean(axis=0) if len(good) else np.full(3, np.nan)
