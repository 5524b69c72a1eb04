"""What one ray sees of the world and what colour it has there: Lambert shading, hard shadows of still faces, the sky.

Shading is linear and follows the world and the material alone, never time or the place in the picture, so a still world
under a still camera has the same bytes in every frame.
"""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors

import warp as wp

from components.simulation.rendering.kernels_rays import ANYWHERE, Cameras, Hit, Surfaces, cast, heat_at
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
