"""The one ray-cast renderer: geometry in, picture and exact annotation out.

Legend: T frames, H height, W width.
"""

from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
import warp as wp
from numpy.typing import NDArray

from components.errors import Phys4dError
from components.simulation.rendering.kernels_annotation import Annotation, follow, see_points, trace, trace_still
from components.simulation.rendering.kernels_rays import Hit
from components.simulation.rendering.kernels_shading import StillPixel, settle_still, shade_frame, shade_still
from components.simulation.rendering.kernels_surfels import Surfel
from components.simulation.rendering.runtime import DEFAULT_DEVICE, prepare
from components.simulation.rendering.world import World, upload
from components.simulation.scene import Motion, Scene

# Bounds the memory of what is kept of the still world, 60 bytes each; every band moves the moving mesh anew.
SUB_SAMPLES_PER_BAND = 2**20


@dataclass(frozen=True, kw_only=True, eq=False)
class Rendering:
    """Picture and annotation of every frame; the fields of a Clip before rounding.

    albedo: linear base colour, 0 in the sky; None unless it was asked for.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    valid: NDArray[np.bool_]
    flow: NDArray[np.float32]
    depth_change: NDArray[np.float32]
    visible: NDArray[np.bool_]
    segmentation: NDArray[np.uint16]
    albedo: NDArray[np.float32] | None


def render(
    scene: Scene, motion: Motion, *, samples_per_pixel: int, albedo: bool = False, device: str = DEFAULT_DEVICE
) -> Rendering:
    """Render and annotate a motion. samples_per_pixel: a square, of RGB alone.

    Annotation follows the ray through each pixel's centre to a material point, and that point to the next frame.
    Raises Phys4dError where scene, motion and camera do not fit, or samples_per_pixel is not a square.
    """
    prepare(device)
    return render_world(upload(scene, motion, device), samples_per_pixel=samples_per_pixel, albedo=albedo)


def render_world(world: World, *, samples_per_pixel: int, albedo: bool = False) -> Rendering:
    """`render`, for a world that is on the device already."""
    side = isqrt(samples_per_pixel)
    if side < 1 or side * side != samples_per_pixel:
        raise Phys4dError(f"samples_per_pixel is {samples_per_pixel}, expected a square: 1, 4, 9, 16")
    height, width = world.cameras.height, world.cameras.width
    pixels, device = height * width, world.device
    out = _Arrays(world.frames, pixels, device, albedo=albedo)
    most = min(pixels, max(1, SUB_SAMPLES_PER_BAND // samples_per_pixel))
    buffers = _Buffers(most, samples_per_pixel, device)
    for first in range(0, pixels, most):
        _render_band(world, buffers, _Band(first=first, pixels=min(most, pixels - first), side=side), out)

    def image(array: wp.array) -> NDArray[Any]:
        values: NDArray[Any] = array.numpy()
        return values.reshape(values.shape[0], height, width, *values.shape[2:])

    return Rendering(
        rgb=image(out.rgb),
        depth=image(out.annotation.depth),
        valid=image(out.annotation.valid),
        flow=image(out.annotation.flow),
        depth_change=image(out.annotation.depth_change),
        visible=image(out.annotation.visible),
        segmentation=image(out.annotation.segmentation),
        albedo=image(out.albedo) if albedo else None,
    )


def points_visible(world: World, faces: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether material points are in frame and unoccluded: (T,P) for faces (P,) and the weights (P,2) of each face's
    first two vertices."""
    on_faces = wp.array(faces, dtype=wp.int32, device=world.device)
    places = wp.array(weights, dtype=wp.vec2d, device=world.device)
    visible = wp.empty((world.frames, len(faces)), dtype=wp.bool, device=world.device)
    for frame in range(world.frames):
        world.move_to(frame)
        arguments = [world.surfaces, world.cameras, frame, on_faces, places, visible]
        wp.launch(see_points, dim=len(faces), inputs=arguments, device=world.device)
    seen: NDArray[np.bool_] = visible.numpy()
    return seen


@dataclass(frozen=True, kw_only=True)
class _Band:
    """Neighbouring pixels that are rendered together, and the side of their grid of sub-samples."""

    first: int
    pixels: int
    side: int


class _Buffers:
    """What is kept of one band of pixels between kernels."""

    def __init__(self, pixels: int, samples_per_pixel: int, device: str) -> None:
        self.still_hits = wp.empty(pixels, dtype=Hit, device=device)
        self.still_places = wp.empty(pixels, dtype=wp.vec3d, device=device)
        self.still_pixels = wp.empty(pixels, dtype=StillPixel, device=device)
        self.faces = wp.empty(pixels, dtype=wp.int32, device=device)
        self.places = wp.empty(pixels, dtype=wp.vec3d, device=device)
        self.surfels = wp.empty((pixels, samples_per_pixel), dtype=Surfel, device=device)


class _Arrays:
    """What the kernels fill: all frames and pixels."""

    def __init__(self, frames: int, pixels: int, device: str, *, albedo: bool) -> None:
        self.rgb = wp.empty((frames, pixels), dtype=wp.vec3ub, device=device)
        self.albedo = wp.empty((frames, pixels) if albedo else (0, 0), dtype=wp.vec3, device=device)
        self.annotation = Annotation()
        self.annotation.depth = wp.empty((frames, pixels), dtype=wp.float32, device=device)
        self.annotation.valid = wp.empty((frames, pixels), dtype=wp.bool, device=device)
        self.annotation.segmentation = wp.empty((frames, pixels), dtype=wp.uint16, device=device)
        self.annotation.flow = wp.empty((frames - 1, pixels), dtype=wp.vec2, device=device)
        self.annotation.depth_change = wp.empty((frames - 1, pixels), dtype=wp.float32, device=device)
        self.annotation.visible = wp.empty((frames - 1, pixels), dtype=wp.bool, device=device)


def _render_band(world: World, buffers: _Buffers, band: _Band, out: _Arrays) -> None:
    """All frames of one band. `follow` completes the frame before, once the moving mesh has moved on."""
    surfaces, cameras, look, device = world.surfaces, world.cameras, world.look, world.device
    still = [buffers.still_hits, buffers.still_places]
    points = [buffers.faces, buffers.places, out.annotation]
    for frame in range(world.frames):
        world.move_to(frame)
        if frame > 0:
            wp.launch(
                follow, dim=band.pixels, inputs=[surfaces, cameras, frame - 1, band.first, *points], device=device
            )
        view = [surfaces, cameras, frame, band.first]
        picture = [surfaces, cameras, look, frame, band.first, band.side, buffers.surfels]
        if frame == 0 or not cameras.still:
            wp.launch(trace_still, dim=band.pixels, inputs=[*view, *still], device=device)
            wp.launch(shade_still, dim=(band.pixels, band.side**2), inputs=picture, device=device)
            settled = [surfaces, look, frame, buffers.surfels, band.side, buffers.still_pixels]
            wp.launch(settle_still, dim=band.pixels, inputs=settled, device=device)
        wp.launch(trace, dim=band.pixels, inputs=[*view, *still, *points], device=device)
        shown = [*picture, buffers.still_pixels, out.rgb, out.albedo]
        wp.launch(shade_frame, dim=band.pixels, inputs=shown, device=device)
