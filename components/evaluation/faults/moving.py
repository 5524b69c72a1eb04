"""Move an object of an annotated clip, let it swell, or take it away: pictures, depth, motion, ids and tracks follow.

The object is a picture of itself that is shifted, scaled by its distance and placed by depth: exact for what shows in
the clip, while shadows stay where they were and its hidden sides are not known. What it uncovers is filled with the
same pixel of the nearest frame that shows it, or else with the nearest pixel. Cameras must stand still.

Legend: T frames, H height, W width. Pixels are (u, v).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.clip import Clip
from components.evaluation.consistency.arrays import Floats, Mask, MeasureError
from components.geometry import pixel_grid, project

NEAREST = 0.2  # metres: what comes nearer to the camera is not drawn
SAME_DEPTH = 0.15  # metres: the point that is found is the one that was expected
FIELDS = ("rgb", "depth", "valid", "segmentation")


@dataclass(frozen=True, kw_only=True)
class Sprite:
    """Where the centre of an object is drawn: pixels (T,2) and depths (T,), before and after it was moved."""

    pixels: Floats
    depths: Floats
    new_pixels: Floats
    new_depths: Floats
    sizes: Floats
    shown: Mask

    @property
    def shrink(self) -> Floats:
        """Pixels of the old picture of the object (T,) to one of the new."""
        return self.new_depths / (self.depths * self.sizes)


def move_object(
    clip: Clip, identity: int, displacement: Floats, *, sizes: Floats | None = None, shown: Mask | None = None
) -> Clip:
    """The clip with object `identity` moved by `displacement` (T,3) in metres; where not `shown` (T,) it is gone.

    sizes (T,): how many times as large it is in every direction. A gone object's tracks stay where they were last.
    MeasureError: the camera moves.
    """
    if np.ptp(clip.extrinsics, axis=0).max(initial=0.0) > 1e-6:
        raise MeasureError(
            f"clip {clip.meta.clip_id}: its camera moves, expected one that stands still; plant faults in other clips"
        )
    shown = np.ones(len(clip.rgb), np.bool_) if shown is None else shown
    sizes = np.ones(len(clip.rgb)) if sizes is None else sizes
    if not displacement.any() and shown.all() and (sizes == 1).all():
        return clip
    column = [thing.id for thing in clip.objects].index(identity)
    centres = clip.poses[:, column, :3].astype(np.float64)
    pixels, depths = project(centres, clip.intrinsics, clip.extrinsics)
    new_pixels, new_depths = project(centres + displacement, clip.intrinsics, clip.extrinsics)
    sprite = Sprite(
        pixels=pixels,
        depths=depths,
        new_pixels=new_pixels,
        new_depths=new_depths,
        sizes=sizes,
        shown=shown & (new_depths > NEAREST) & (depths > NEAREST),
    )
    drawn, source = _draw(clip, identity, sprite)
    tracks, poses, velocities = _carry(clip, column, displacement, sizes, shown)
    here = np.isin(clip.track_ids, [identity])
    flow, change = _motion(clip, drawn, identity, sprite, source)
    return replace(
        drawn,
        flow=flow,
        depth_change=change,
        visible=_visible(drawn, flow, change, source),
        tracks=tracks,
        tracks_visible=clip.tracks_visible & (sprite.shown[:, None] | ~here),
        poses=poses,
        velocities=velocities,
    )


def _draw(clip: Clip, identity: int, sprite: Sprite) -> tuple[Clip, NDArray[np.int64]]:
    """The pictures, and (T,H,W) which pixel v W + u of the old frame each of the object's comes from, -1 elsewhere."""
    pictures: dict[str, Any] = _without(clip, identity)
    height, width = clip.depth.shape[1:]
    grid = pixel_grid(height, width)
    source = np.full(clip.depth.shape, -1)
    for frame in np.flatnonzero(sprite.shown):
        away = (grid - sprite.new_pixels[frame]) * sprite.shrink[frame]
        old = np.rint(sprite.pixels[frame] + away).astype(int)
        inside = ((old >= 0) & (old < (width, height))).all(axis=-1)
        column, row = np.where(inside[..., None], old, 0).transpose(2, 0, 1)
        behind = (clip.depth[frame, row, column] - sprite.depths[frame]) * sprite.sizes[frame]
        depth = (sprite.new_depths[frame] + behind).astype(np.float32)
        own = inside & (clip.segmentation[frame, row, column] == identity)
        own &= (depth < pictures["depth"][frame]) | ~pictures["valid"][frame]
        for name in FIELDS:
            pictures[name][frame][own] = getattr(clip, name)[frame, row, column][own]
        pictures["depth"][frame][own] = depth[own]
        source[frame][own] = (row * width + column)[own]
    return replace(clip, **pictures), source


def _without(clip: Clip, identity: int) -> dict[str, NDArray[Any]]:
    """FIELDS of the clip without the object."""
    from scipy.ndimage import distance_transform_edt

    gone = clip.segmentation == identity
    filled: dict[str, NDArray[Any]] = {name: getattr(clip, name).copy() for name in FIELDS}
    world = clip.segmentation <= 1
    for frame in np.flatnonzero(gone.any(axis=(1, 2))):
        missing = gone[frame].copy()
        for other in sorted(range(len(gone)), key=lambda one: abs(one - frame)):
            known = missing & world[other]
            for name in FIELDS:
                filled[name][frame][known] = getattr(clip, name)[other][known]
            missing &= ~known
        if missing.any():
            row, column = distance_transform_edt(missing, return_distances=False, return_indices=True)
            for name in FIELDS:
                filled[name][frame][missing] = filled[name][frame][row, column][missing]
    return filled


def _motion(
    clip: Clip, drawn: Clip, identity: int, sprite: Sprite, source: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """flow and depth_change of the drawn clip; the world's are 0, as cameras stand still."""
    height, width = clip.depth.shape[1:]
    grid = pixel_grid(height, width)
    flow, change = clip.flow.copy(), clip.depth_change.copy()
    bare = (drawn.segmentation[:-1] != clip.segmentation[:-1]) & (drawn.segmentation[:-1] != identity)
    flow[bare], change[bare] = 0.0, 0.0
    for step in range(len(flow)):
        own = source[step] >= 0
        old = source[step][own]
        ends = grid.reshape(-1, 2)[old] + clip.flow[step].reshape(-1, 2)[old]
        if sprite.new_depths[step + 1] > NEAREST:
            ends = sprite.new_pixels[step + 1] + (ends - sprite.pixels[step + 1]) / sprite.shrink[step + 1]
        flow[step][own] = ends - grid[own]
        after = clip.depth[step].reshape(-1)[old] + clip.depth_change[step].reshape(-1)[old] - sprite.depths[step + 1]
        after = sprite.new_depths[step + 1] + after * sprite.sizes[step + 1]
        change[step][own] = after - drawn.depth[step][own]
    return flow, change


def _visible(drawn: Clip, flow: NDArray[np.float32], change: NDArray[np.float32], source: NDArray[np.int64]) -> Mask:
    """Whether each point is found where it should be in the next frame (T-1,H,W): by its id and depth."""
    height, width = drawn.depth.shape[1:]
    column, row = np.moveaxis(np.rint(pixel_grid(height, width) + flow).astype(int), -1, 0)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    step = np.arange(len(flow))[:, None, None]
    row, column = row.clip(0, height - 1), column.clip(0, width - 1)
    same = drawn.segmentation[1:][step, row, column] == drawn.segmentation[:-1]
    near = np.abs(drawn.depth[1:][step, row, column] - (drawn.depth[:-1] + change)) < SAME_DEPTH
    found: Mask = inside & same & (near | (source[:-1] < 0))
    return found


def _carry(
    clip: Clip, column: int, displacement: Floats, sizes: Floats, shown: Mask
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """tracks, poses and velocities of the moved object; held while it is gone."""
    tracks, poses, velocities = clip.tracks.copy(), clip.poses.copy(), clip.velocities.copy()
    own = clip.track_ids == clip.objects[column].id
    centres = clip.poses[:, None, column, :3]
    swollen = (clip.tracks[:, own] - centres) * (sizes - 1)[:, None, None]
    tracks[:, own] += (swollen + displacement[:, None]).astype(np.float32)
    poses[:, column, :3] += displacement.astype(np.float32)
    if len(displacement) > 1:
        velocities[:, column, :3] += (np.gradient(displacement, axis=0) * clip.meta.fps).astype(np.float32)
    for frame in np.flatnonzero(~shown):
        if frame:
            tracks[frame, own], poses[frame, column] = tracks[frame - 1, own], poses[frame - 1, column]
        velocities[frame, column] = 0.0
    return tracks, poses, velocities
