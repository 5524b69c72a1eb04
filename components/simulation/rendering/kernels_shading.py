"""Warp kernels of colour: Lambert shading with hard shadows, and the sky.

Shading is linear and follows the world and the material alone, never time or the place in the picture, so a still world
under a still camera has the same bytes in every frame.
"""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: PLR0917, SIM102, UP018

import warp as wp

from components.simulation.rendering.kernels_rays import (
    ANYWHERE,
    Cameras,
    Hit,
    Surfaces,
    cast,
    cast_moving,
    heat_at,
    in_window,
)
from components.simulation.rendering.kernels_textures import Look, glow, texture

wp.set_module_options({"enable_backward": False})

SHADOW_BIAS = wp.constant(1.0e-4)  # of the camera's distance: lifts shadow rays off their own face
INSET = wp.constant(0.02)  # of half a period: faces that lie on a cell's border are read inside the cell


@wp.struct
class Ray:
    """A sub-sample's ray, and how its direction changes to the next sub-sample across and down."""

    origin: wp.vec3
    direction: wp.vec3
    across: wp.vec3
    down: wp.vec3


@wp.struct
class Surfel:
    """What a ray sees: t is z-depth; `direct` is what each light adds where nothing but a moving face could stop it."""

    t: wp.float32
    position: wp.vec3  # where shadow rays start
    albedo: wp.vec3
    emission: wp.vec3  # ambient light reflected and heat, or sky
    direct: wp.vec3


@wp.struct
class StillPixel:
    """A pixel of the picture without anything that moves, and the box of its surfels that a light reaches."""

    colour: wp.vec3ub
    albedo: wp.vec3
    lit: wp.bool
    middle: wp.vec3
    extent: wp.vec3


@wp.func
def sky(look: Look, direction: wp.vec3):
    """Colour in a direction: the horizon's, turning into the zenith's with height."""
    height = wp.clamp(wp.normalize(direction)[2], 0.0, 1.0)
    return wp.lerp(look.horizon, look.zenith, wp.sqrt(height))


@wp.func
def footprint(ray: Ray, t: wp.float32, normal: wp.vec3, step: wp.vec3):
    """How far the hit point moves in its face's plane when the ray's direction changes by `step`."""
    facing = wp.dot(ray.direction, normal)
    facing = wp.where(facing < 0.0, wp.min(facing, -1.0e-4), wp.max(facing, 1.0e-4))
    return t * (step - ray.direction * (wp.dot(step, normal) / facing))


@wp.func
def in_reference(move: wp.vec3, to_a: wp.vec3, to_b: wp.vec3, reference_a: wp.vec3, reference_b: wp.vec3):
    """A displacement in a triangle's plane, carried to the triangle's reference shape (least squares)."""
    aa = wp.dot(to_a, to_a)
    ab = wp.dot(to_a, to_b)
    bb = wp.dot(to_b, to_b)
    determinant = wp.max(aa * bb - ab * ab, 1.0e-20)
    ma = wp.dot(move, to_a)
    mb = wp.dot(move, to_b)
    u = (ma * bb - mb * ab) / determinant
    v = (mb * aa - ma * ab) / determinant
    return u * reference_a + v * reference_b


@wp.func
def albedo_at(surfaces: Surfaces, look: Look, frame: wp.int32, ray: Ray, hit: Hit):
    """Texture of a hit, read in the body's own coordinates with the ray's footprint there."""
    corners = surfaces.faces[hit.face]
    c = wp.vec3(surfaces.vertices[frame, corners[2]])
    to_a = wp.vec3(surfaces.vertices[frame, corners[0]]) - c
    to_b = wp.vec3(surfaces.vertices[frame, corners[1]]) - c
    reference_c = surfaces.reference[corners[2]]
    reference_a = surfaces.reference[corners[0]] - reference_c
    reference_b = surfaces.reference[corners[1]] - reference_c
    normal = wp.normalize(wp.cross(to_a, to_b))
    across = in_reference(footprint(ray, hit.t, normal, ray.across), to_a, to_b, reference_a, reference_b)
    down = in_reference(footprint(ray, hit.t, normal, ray.down), to_a, to_b, reference_a, reference_b)
    width = wp.max(wp.abs(across), wp.abs(down))
    body = surfaces.body[hit.face]
    inwards = wp.normalize(wp.cross(reference_a, reference_b)) * (-0.5 * INSET * look.periods[body])
    place = hit.u * reference_a + hit.v * reference_b + reference_c + inwards
    return texture(look, body, place, width)


@wp.func
def shadow_terminator(point: wp.vec3, corner: wp.vec3, normal: wp.vec3, facing: wp.float32):
    """From a flat face up to the smooth surface of one corner (Hanika, Ray Tracing Gems II, chapter 4)."""
    unit = normal * facing
    return unit * -wp.min(wp.dot(point - corner, unit), 0.0)


@wp.func
def shade(surfaces: Surfaces, look: Look, frame: wp.int32, ray: Ray, hit: Hit):
    """A hit's surfel: Lambert with smooth normals on both sides, lights behind the face or a still face left out."""
    corners = surfaces.faces[hit.face]
    a = wp.vec3(surfaces.vertices[frame, corners[0]])
    b = wp.vec3(surfaces.vertices[frame, corners[1]])
    c = wp.vec3(surfaces.vertices[frame, corners[2]])
    na = surfaces.normals[frame, corners[0]]
    nb = surfaces.normals[frame, corners[1]]
    nc = surfaces.normals[frame, corners[2]]
    w = 1.0 - hit.u - hit.v
    face_normal = wp.normalize(wp.cross(a - c, b - c))
    face_normal = wp.where(wp.dot(face_normal, ray.direction) > 0.0, -face_normal, face_normal)
    normal = wp.normalize(hit.u * na + hit.v * nb + w * nc)
    facing = wp.where(wp.dot(normal, face_normal) < 0.0, -1.0, 1.0)
    normal = normal * facing
    point = hit.u * a + hit.v * b + w * c
    lift = hit.u * shadow_terminator(point, a, na, facing) + hit.v * shadow_terminator(point, b, nb, facing)
    lift += w * shadow_terminator(point, c, nc, facing)
    seen = Surfel()
    seen.t = hit.t
    seen.position = point + lift + face_normal * (SHADOW_BIAS * hit.t)
    seen.albedo = albedo_at(surfaces, look, frame, ray, hit)
    seen.emission = seen.albedo * (look.ambient * (0.85 + 0.15 * normal[2]))  # more of the sky is above
    if surfaces.heat.shape[0] > 0:
        cosine = wp.dot(wp.normalize(ray.direction), normal)
        seen.emission += glow(heat_at(surfaces, frame, hit), cosine)
    for i in range(look.lights.shape[0]):
        strength = look.intensities[i] * wp.max(wp.dot(normal, look.lights[i]), 0.0)
        if strength > 0.0:
            blocker = cast(surfaces.still_mesh, surfaces.still_faces, seen.position, look.lights[i], ANYWHERE)
            seen.direct[i] = wp.where(blocker.face < 0, strength, 0.0)
    return seen


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
def changes(surfaces: Surfaces, cameras: Cameras, look: Look, frame: wp.int32, pixel: wp.int32, still: StillPixel):
    """Whether something that moves can be seen in a pixel, or can cast a shadow there."""
    touched = bool(False)
    if surfaces.moving_mesh != wp.uint64(0):
        touched = in_window(surfaces, frame, float(pixel % cameras.width), float(pixel / cameras.width))
        if still.lit and not touched:
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


@wp.func
def sub_ray(cameras: Cameras, frame: wp.int32, pixel: wp.int32, sub: wp.int32, side: wp.int32):
    """Ray through sub-sample `sub` of a regular side x side grid in the pixel's area."""
    spacing = 1.0 / float(side)
    u = float(pixel % cameras.width) - 0.5 + (float(sub % side) + 0.5) * spacing
    v = float(pixel / cameras.width) - 0.5 + (float(sub / side) + 0.5) * spacing
    rays = wp.mat33(cameras.rays[frame])
    ray = Ray()
    ray.origin = wp.vec3(cameras.centres[frame])
    ray.direction = rays * wp.vec3(u, v, 1.0)
    ray.across = rays * wp.vec3(spacing, 0.0, 0.0)
    ray.down = rays * wp.vec3(0.0, spacing, 0.0)
    return ray


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
    if changes(surfaces, cameras, look, frame, pixel, still):
        share = 1.0 / float(side * side)
        colour = wp.vec3(0.0, 0.0, 0.0)
        base = wp.vec3(0.0, 0.0, 0.0)
        for sub in range(side * side):
            seen = surfels[i, sub]
            ray = sub_ray(cameras, frame, pixel, sub, side)
            behind = Hit()
            behind.face = -1
            behind.t = seen.t
            hit = cast_moving(surfaces, ray.origin, ray.direction, behind)
            if hit.face >= 0:
                seen = shade(surfaces, look, frame, ray, hit)
            colour += lit(surfaces, look, frame, seen, True) * share
            base += seen.albedo * share
        shown = srgb_pixel(colour)
    rgb[frame, pixel] = shown
    if albedo.shape[0] > 0:
        albedo[frame, pixel] = base
