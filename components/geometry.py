"""Camera geometry in numpy, float64: pinhole, OpenCV axes (x right, y down, z forward), pixel centres at integers.

`extrinsics` is world to camera, (4,4), or (T,4,4) beside arrays whose first axis is T.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]

_NEAREST_Z = 1e-12  # keeps the division finite for points in the camera's own plane, whose pixels mean nothing


def project(points: ArrayLike, intrinsics: ArrayLike, extrinsics: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """World points (...,3) to pixels (...,2) and z-depth (...). Pixels have a meaning only where z > 0."""
    points, intrinsics = np.asarray(points, np.float64), np.asarray(intrinsics, np.float64)
    rotation, translation = _rigid(extrinsics, points.ndim)
    in_camera = (rotation @ points[..., None])[..., 0] + translation
    z = in_camera[..., 2]
    away = np.where(np.abs(z) < _NEAREST_Z, _NEAREST_Z, z)
    homogeneous = in_camera @ intrinsics.T
    return np.asarray(homogeneous[..., :2] / away[..., None], np.float64), z


def unproject(pixels: ArrayLike, z: ArrayLike, intrinsics: ArrayLike, extrinsics: ArrayLike) -> FloatArray:
    """Pixels (...,2) at z-depth (...) to world points (...,3): the inverse of `project`."""
    pixels, z = np.asarray(pixels, np.float64), np.asarray(z, np.float64)
    homogeneous = np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1)
    in_camera = (homogeneous @ np.linalg.inv(np.asarray(intrinsics, np.float64)).T) * z[..., None]
    rotation, translation = _rigid(extrinsics, in_camera.ndim)
    turned = np.swapaxes(rotation, -1, -2) @ (in_camera - translation)[..., None]
    return np.asarray(turned[..., 0], np.float64)


def resize_intrinsics(intrinsics: ArrayLike, scale: float | tuple[float, float]) -> FloatArray:
    """Intrinsics of the image resized by `scale`, or (x, y): u' = (u + .5) s - .5."""
    across, down = scale if isinstance(scale, tuple) else (scale, scale)
    resize = np.array([[across, 0.0, 0.5 * across - 0.5], [0.0, down, 0.5 * down - 0.5], [0.0, 0.0, 1.0]])
    return np.asarray(resize @ np.asarray(intrinsics, np.float64), np.float64)


def pixel_grid(height: int, width: int) -> FloatArray:
    """Centres (H,W,2) of all pixels, as (u, v)."""
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float64)


def sample(image: NDArray[Any], pixels: ArrayLike) -> FloatArray:
    """Bilinear values of `image` (H,W) or (H,W,C) at `pixels` (...,2); outside the image the border's value."""
    pixels = np.asarray(pixels, np.float64)
    height, width = image.shape[:2]
    u, v = np.clip(pixels[..., 0], 0, width - 1), np.clip(pixels[..., 1], 0, height - 1)
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = u - left, v - top
    if image.ndim == 3:
        across, down = across[..., None], down[..., None]
    upper = image[top, left] * (1 - across) + image[top, right] * across
    lower = image[bottom, left] * (1 - across) + image[bottom, right] * across
    return np.asarray(upper * (1 - down) + lower * down, np.float64)


def warp(image_next: NDArray[Any], flow: ArrayLike) -> FloatArray:
    """Bring the next frame back: at every pixel p the value of `image_next` at p + flow; flow (H,W,2) in pixels."""
    return sample(image_next, pixel_grid(*image_next.shape[:2]) + np.asarray(flow, np.float64))


def _rigid(extrinsics: ArrayLike, dimensions: int) -> tuple[FloatArray, FloatArray]:
    """Rotation (...,3,3) and translation (...,3), with axes of one so that they broadcast against points."""
    matrix = np.asarray(extrinsics, np.float64)
    lead = matrix.shape[:-2]
    matrix = matrix.reshape(lead + (1,) * (dimensions - 1 - len(lead)) + (4, 4))
    return matrix[..., :3, :3], matrix[..., :3, 3]
