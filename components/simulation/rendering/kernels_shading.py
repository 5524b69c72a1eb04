"""Warp kernels of the picture: the still world once, and before it and in its light whatever moves."""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: PLR0917, SIM102, UP018

import warp as wp

from components.simulation.rendering.kernels_rays import (
    ANYWHERE,
    Cameras,
    Surfaces,
    cast,
    in_window,
)
from components.simulation.rendering.kernels_surfels import SHADOW_BIAS, Surfel, shade, sky, sub_ray
from components.simulation.rendering.kernels_textures import Look

wp.set_module_options({"enable_backward": False})


@wp.struct
class StillPixel:
    """A pixel of the picture without anything that moves, and the box of its surfels that a light reaches."""

    colour: wp.vec3ub
    albedo: wp.vec3
    lit: wp.bool
    middle: wp.vec3
    extent: wp.vec3


@wp.func
def meets_box(origin: wp.vec3, inverse: wp.vec3, lower: wp.vec3, upper: wp.vec3):
    """Whether a ray meets a box (slabs); `inverse` holds the inverse of each component of its direction."""
    one = wp.cw_mul(lower - origin, inverse)
    other = wp.cw_mul(upper - origin, inverse)
    near = wp.min(one, other)
    far = wp.max(one, other)
    start = wp.max(near[0], wp.max(near[1], near[2]))
    end = wp.min(far[0], wp.min(far[1], far[2]))
    return end >= wp.max(start, 0.0)


@wp.func
def lit(surfaces: Surfaces, look: Look, frame: wp.int32, seen: Surfel, ask_moving: wp.bool):
    """A surfel's linear colour; with `ask_moving` in the shadows of moving faces."""
    light = float(0.0)
    for i in range(look.lights.shape[0]):
        if seen.direct[i] > 0.0:
            blocked = bool(False)
            if ask_moving:
                if meets_box(seen.position, look.inverse_lights[i], surfaces.lower[frame], surfaces.upper[frame]):
                    blocked = wp.mesh_query_ray_anyhit(surfaces.moving_mesh, seen.position, look.lights[i], ANYWHERE)
            light += wp.where(blocked, 0.0, seen.direct[i])
    return seen.emission + seen.albedo * light


@wp.func
def shadowed(surfaces: Surfaces, look: Look, frame: wp.int32, still: StillPixel):
    """Whether something that moves can cast a shadow on what stands still in a pixel."""
    touched = bool(False)
    if still.lit:
        lower = surfaces.lower[frame] - still.extent
        upper = surfaces.upper[frame] + still.extent
        for i in range(look.lights.shape[0]):
            touched = touched or meets_box(still.middle, look.inverse_lights[i], lower, upper)
    return touched


@wp.func
def srgb(linear: wp.float32):
    """Linear 0..1 to an sRGB byte (IEC 61966-2-1)."""
    x = wp.clamp(linear, 0.0, 1.0)
    encoded = wp.where(x <= 0.0031308, 12.92 * x, 1.055 * wp.pow(x, 1.0 / 2.4) - 0.055)
    return wp.uint8(wp.int32(255.0 * encoded + 0.5))


@wp.func
def srgb_pixel(linear: wp.vec3):
    """A pixel's three sRGB bytes."""
    return wp.vec3ub(srgb(linear[0]), srgb(linear[1]), srgb(linear[2]))


@wp.kernel
def shade_still(
    surfaces: Surfaces,
    cameras: Cameras,
    look: Look,
    frame: wp.int32,
    first: wp.int32,
    side: wp.int32,
    surfels: wp.array2d[Surfel],
):
    """What every sub-sample sees of the still world."""
    i, sub = wp.tid()
    ray = sub_ray(cameras, frame, first + i, sub, side)
    hit = cast(surfaces.still_mesh, surfaces.still_faces, ray.origin, ray.direction, cameras.far)
    seen = Surfel()
    if hit.face >= 0:
        seen = shade(surfaces, look, frame, ray, hit)
    else:
        seen.t = cameras.far
        seen.emission = sky(look, ray.direction)
    surfels[i, sub] = seen


@wp.kernel
def settle_still(
    surfaces: Surfaces,
    look: Look,
    frame: wp.int32,
    surfels: wp.array2d[Surfel],
    side: wp.int32,
    out: wp.array[StillPixel],
):
    """The picture of the still world, from what its sub-samples see."""
    i = wp.tid()
    share = 1.0 / float(side * side)
    colour = wp.vec3(0.0, 0.0, 0.0)
    base = wp.vec3(0.0, 0.0, 0.0)
    lower = wp.vec3(ANYWHERE, ANYWHERE, ANYWHERE)
    upper = -lower
    still = StillPixel()
    for sub in range(side * side):
        seen = surfels[i, sub]
        colour += lit(surfaces, look, frame, seen, False) * share
        base += seen.albedo * share
        if wp.max(seen.direct) > 0.0:
            still.lit = True
            lower = wp.min(lower, seen.position)
            upper = wp.max(upper, seen.position)
    still.colour = srgb_pixel(colour)
    still.albedo = base
    if still.lit:
        still.middle = 0.5 * (lower + upper)
        still.extent = (upper - lower) * 0.5 + wp.vec3(SHADOW_BIAS, SHADOW_BIAS, SHADOW_BIAS)
    out[i] = still


@wp.kernel
def shade_frame(
    surfaces: Surfaces,
    cameras: Cameras,
    look: Look,
    frame: wp.int32,
    first: wp.int32,
    side: wp.int32,
    surfels: wp.array2d[Surfel],
    stills: wp.array[StillPixel],
    rgb: wp.array2d[wp.vec3ub],
    albedo: wp.array2d[wp.vec3],
):
    """The picture at `frame`: what moves, before the still world; `albedo` is filled unless it is empty."""
    i = wp.tid()
    pixel = first + i
    still = stills[i]
    shown = still.colour
    base = still.albedo
    shows = bool(False)
    darkens = bool(False)
    if surfaces.moving_mesh != wp.uint64(0):
        shows = in_window(surfaces, frame, float(pixel % cameras.width), float(pixel / cameras.width))
        darkens = not shows and shadowed(surfaces, look, frame, still)
    if shows or darkens:
        share = 1.0 / float(side * side)
        colour = wp.vec3(0.0, 0.0, 0.0)
        base = wp.vec3(0.0, 0.0, 0.0)
        for sub in range(side * side):
            seen = surfels[i, sub]
            if shows:
                ray = sub_ray(cameras, frame, pixel, sub, side)
                hit = cast(surfaces.moving_mesh, surfaces.moving_faces, ray.origin, ray.direction, seen.t)
                if hit.face >= 0:
                    seen = shade(surfaces, look, frame, ray, hit)
            colour += lit(surfaces, look, frame, seen, True) * share
            base += seen.albedo * share
        shown = srgb_pixel(colour)
    rgb[frame, pixel] = shown
    if albedo.shape[0] > 0:
        albedo[frame, pixel] = base
