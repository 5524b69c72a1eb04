"""Motion on the grid of the frame it leads to: where, in the frame before, the surface now at a pixel was.

Clips hold motion forward, on the grid of the frame it starts from. Turned round it is exact where the surface is
rigid (static world, rigid objects, sky): the pixel is unprojected, moved back by the object's pose and the camera's,
and projected. On surfaces that deform, and on particles, it is what the forward motion of the same object's visible
points says, averaged over those that land closest.

Legend: H, W.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from components.clip import Clip
from components.geometry import FloatArray, pixel_grid, project, unproject
from components.simulation.rotations import matrices

NEIGHBOURS = 4
REACH = 1.0  # pixels between a pixel and the nearest point that lands near it
SKY, STATIC = 0, 1  # in `segmentation`


def motion_into(clip: Clip, frame: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Motion (H,W,2) in pixels from frame-1 to `frame` on the grid of `frame`, and where (H,W) it is known.

    The surface at pixel q was at q - motion. frame: 1 or later. 0 where the motion is not known.
    """
    ids = clip.segmentation[frame]
    motion = np.zeros((*ids.shape, 2), np.float32)
    known = np.zeros(ids.shape, np.bool_)
    rigid = {SKY: np.eye(4), STATIC: np.eye(4)}
    for column, thing in enumerate(clip.objects):
        if thing.kind == "rigid":
            rigid[thing.id] = _pose(clip, frame - 1, column) @ np.linalg.inv(_pose(clip, frame, column))
    for label in np.unique(ids).tolist():
        here = ids == label
        if label in rigid:
            motion[here], known[here] = _rigid_motion(clip, frame, here, rigid[label], infinite=label == SKY)
        else:
            motion[here], known[here] = _landed_motion(clip, frame, here, label)
    return motion, known


def _rigid_motion(
    clip: Clip, frame: int, here: NDArray[np.bool_], back: FloatArray, *, infinite: bool
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Motion (n,2) at the pixels `here`, whose surface was moved by `back` (4,4) in the world one frame earlier."""
    now, before = (np.asarray(clip.extrinsics[number], np.float64).copy() for number in (frame, frame - 1))
    if infinite:
        now[:3, 3] = before[:3, 3] = 0.0  # only the camera's turn moves what is infinitely far
    pixels = pixel_grid(*here.shape)[here]
    depth = np.ones(len(pixels)) if infinite else clip.depth[frame][here]
    points = unproject(pixels, depth, clip.intrinsics, now)
    earlier, z = project(points @ back[:3, :3].T + back[:3, 3], clip.intrinsics, before)
    known = z > 0
    return np.where(known[:, None], pixels - earlier, 0.0), known


def _landed_motion(clip: Clip, frame: int, here: NDArray[np.bool_], label: int) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Motion (n,2) at the pixels `here` of object `label`, from the points of it that land near them."""
    pixels = pixel_grid(*here.shape)
    source = (clip.segmentation[frame - 1] == label) & clip.visible[frame - 1]
    flow = np.asarray(clip.flow[frame - 1][source], np.float64)
    if not len(flow):
        return np.zeros((int(here.sum()), 2)), np.zeros(int(here.sum()), np.bool_)
    tree = cKDTree(pixels[source] + flow)
    count = min(NEIGHBOURS, len(flow))
    away, chosen = (found.reshape(-1, count) for found in tree.query(pixels[here], k=count))
    weights = 1.0 / (away**2 + 1e-6)
    weights[away > REACH] = 0.0
    known = away[:, 0] <= REACH
    total = np.where(known, weights.sum(axis=1), 1.0)
    mean = (weights[..., None] * flow[chosen]).sum(axis=1) / total[:, None]
    return np.where(known[:, None], mean, 0.0), known


def _pose(clip: Clip, frame: int, column: int) -> FloatArray:
    """Object to world (4,4)."""
    pose = np.asarray(clip.poses[frame, column], np.float64)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = matrices(pose[None, 3:])[0], pose[:3]
    return matrix
