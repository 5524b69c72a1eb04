"""The check of annotation that every category must pass: frame t+1, warped back by flow, is frame t."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.geometry import pixel_grid, project, resize_intrinsics, sample, warp
from components.simulation.rendering.renderer import render
from components.simulation.scene import Camera, Motion, Scene
from tests.simulation.rendering.pixels import away_from_edges

SIZE = 256  # pixels: smaller pictures of balls and ropes are all edges
MOTION = 0.05  # pixels from frame to frame
LAST = 3  # frames


@dataclass(frozen=True, kw_only=True, eq=False)
class Residuals:
    """What is left at the pixels of all pairs of frames: of albedo (0..1, mean of channels), and of depth in metres.

    fair: seen at both frames, away from edges at both; moving: of dynamic things, where they move. All (T-1,H,W).
    """

    albedo: NDArray[np.float64]
    depth: NDArray[np.float64]
    fair: NDArray[np.bool_]
    moving: NDArray[np.bool_]


def check_warp(scene: Scene, motion: Motion) -> None:
    """The LAST frames warp back onto each other: the picture as the camera sees it, and a close-up of what moves.

    The floor is most of the picture and its flow is easy. So what moves is asked alone, with a lens that shows it
    larger than the curve of a ball or a grain is to bilinear reading. Too few pixels left would prove nothing.
    """
    motion = _last(motion)
    scene = replace(scene, camera=_of_size(replace(scene.camera, extrinsics=scene.camera.extrinsics[-LAST:])))
    whole, close = (residuals(seen, motion) for seen in (scene, close_up(scene, motion)))
    assert whole.fair.mean() >= 0.3
    assert whole.moving.any()
    assert close.moving.sum() > 1000
    assert close.fair[close.moving].mean() >= 0.3
    for left, chosen in ((whole, whole.fair), (close, close.fair & close.moving)):
        assert np.median(left.albedo[chosen]) < 0.005
        assert np.median(left.depth[chosen]) < 1e-3


def residuals(scene: Scene, motion: Motion) -> Residuals:
    """Of all pairs of frames."""
    seen = render(scene, motion, samples_per_pixel=1, albedo=True)
    assert seen.albedo is not None
    inner = np.stack([away_from_edges(ids) for ids in seen.segmentation])
    grid = pixel_grid(*inner.shape[1:])
    albedo, depth, fair = [], [], []
    for t, flow in enumerate(seen.flow):
        albedo.append(np.abs(warp(seen.albedo[t + 1], flow) - seen.albedo[t]).mean(axis=-1))
        depth.append(np.abs(warp(seen.depth[t + 1], flow) - seen.depth[t] - seen.depth_change[t]))
        lands_inside = sample(inner[t + 1].astype(float), grid + flow) > 0.999
        fair.append(inner[t] & seen.valid[t] & seen.visible[t] & lands_inside)
    moving = (seen.segmentation[:-1] > 1) & (np.linalg.norm(seen.flow, axis=-1) > MOTION)
    return Residuals(albedo=np.stack(albedo), depth=np.stack(depth), fair=np.stack(fair), moving=moving)


def close_up(scene: Scene, motion: Motion) -> Scene:
    """The same view through the lens whose picture the dynamic things just fill."""
    camera = scene.camera
    dynamic = [index for index, body in enumerate(scene.bodies) if body.dynamic]
    own = np.unique(motion.faces[np.isin(motion.face_body, dynamic)])
    pixels, _ = project(motion.vertices[:, own], camera.intrinsics, camera.extrinsics)
    low, high = pixels.min(axis=(0, 1)), pixels.max(axis=(0, 1))
    scale = SIZE / (high - low).max()
    nearer = np.diag([scale, scale, 1.0])
    nearer[:2, 2] = (SIZE - 1) / 2 - scale * (low + high) / 2
    return replace(scene, camera=replace(camera, intrinsics=nearer @ camera.intrinsics))


def _of_size(camera: Camera) -> Camera:
    """The camera with SIZE x SIZE pixels."""
    intrinsics = resize_intrinsics(camera.intrinsics, SIZE / camera.height)
    return replace(camera, intrinsics=intrinsics, height=SIZE, width=SIZE)


def _last(motion: Motion) -> Motion:
    """The LAST frames alone."""
    parts = ("vertices", "normals", "poses", "velocities", *(() if motion.heat is None else ("heat",)))
    return replace(motion, **{name: getattr(motion, name)[-LAST:] for name in parts})
