"""Warp kernels that follow the ray through every pixel's centre: what it hits, and where that material point goes.

Legend: T frames, HW pixels, n pixels of one band. Faces are found in float32; where a point lies, and where it projects
to, is computed in float64.
"""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: PLR0917, UP018

import warp as wp

from components.simulation.rendering.kernels_rays import (
    Cameras,
    Hit,
    Surfaces,
    cast,
    cast_moving,
    in_window,
    pixel_of,
    point_on,
)

wp.set_module_options({"enable_backward": False})

NEAREST_Z = wp.constant(wp.float64(1.0e-3))  # metres: nearer points have no pixel
OCCLUSION_MARGIN = wp.constant(1.0e-4)  # of the distance: a surface this close to the point is the point's own
BARYCENTRIC_SLACK = wp.constant(wp.float64(1.0e-4))  # float32 and float64 disagree on a triangle's edge by less


@wp.struct
class Annotation:
    """Arrays over all frames and pixels that the kernels below fill."""

    depth: wp.array2d[wp.float32]  # (T,HW)
    valid: wp.array2d[wp.bool]  # (T,HW)
    segmentation: wp.array2d[wp.uint16]  # (T,HW)
    flow: wp.array2d[wp.vec2]  # (T-1,HW)
    depth_change: wp.array2d[wp.float32]  # (T-1,HW)
    visible: wp.array2d[wp.bool]  # (T-1,HW)


@wp.func
def place_of(surfaces: Surfaces, cameras: Cameras, frame: wp.int32, origin: wp.vec3d, direction: wp.vec3d, hit: Hit):
    """Where a ray meets the plane of the face it hits, in float64 (Moller-Trumbore): (u, v, z-depth)."""
    corners = surfaces.faces[hit.face]
    c = surfaces.vertices[frame, corners[2]]
    to_a = surfaces.vertices[frame, corners[0]] - c
    to_b = surfaces.vertices[frame, corners[1]] - c
    across = wp.cross(direction, to_b)
    determinant = wp.dot(to_a, across)
    u = wp.float64(hit.u)
    v = wp.float64(hit.v)
    if determinant != wp.float64(0.0):
        from_c = origin - c
        low = -BARYCENTRIC_SLACK
        high = wp.float64(1.0) - low
        u = wp.clamp(wp.dot(from_c, across) / determinant, low, high)
        v = wp.clamp(wp.dot(direction, wp.cross(from_c, to_a)) / determinant, low, high - u)
    point = point_on(surfaces, frame, hit.face, u, v)
    return wp.vec3d(u, v, (cameras.projections[frame] * (point - origin))[2])


@wp.func
def occluded(
    surfaces: Surfaces,
    origin: wp.vec3,
    direction: wp.vec3,
    max_t: wp.float32,
    face: wp.int32,
    ask_moving: wp.bool,
    ask_still: wp.bool,
):
    """Whether a face other than `face` stands before max_t."""
    blocked = bool(False)
    if ask_moving:
        front = cast(surfaces.moving_mesh, surfaces.moving_faces, origin, direction, max_t)
        blocked = front.face >= 0 and front.face != face
    if ask_still and not blocked:
        front = cast(surfaces.still_mesh, surfaces.still_faces, origin, direction, max_t)
        blocked = front.face >= 0 and front.face != face
    return blocked


@wp.func
def in_frame(cameras: Cameras, pixel: wp.vec2d):
    """Whether a position is within the area of some pixel."""
    half = wp.float64(0.5)
    return (
        pixel[0] >= -half
        and pixel[0] < wp.float64(cameras.width) - half
        and pixel[1] >= -half
        and pixel[1] < wp.float64(cameras.height) - half
    )


@wp.kernel
def trace_still(
    surfaces: Surfaces,
    cameras: Cameras,
    frame: wp.int32,
    first: wp.int32,
    hits: wp.array[Hit],
    places: wp.array[wp.vec3d],
):
    """Still faces hit by the rays through pixel centres, and where: (u, v, z)."""
    i = wp.tid()
    origin = cameras.centres[frame]
    direction = cameras.rays[frame] * pixel_of(cameras, first + i)
    hit = cast(surfaces.still_mesh, surfaces.still_faces, wp.vec3(origin), wp.vec3(direction), cameras.far)
    hits[i] = hit
    if hit.face >= 0:
        places[i] = place_of(surfaces, cameras, frame, origin, direction, hit)


@wp.kernel
def trace(
    surfaces: Surfaces,
    cameras: Cameras,
    frame: wp.int32,
    first: wp.int32,
    still_hits: wp.array[Hit],
    still_places: wp.array[wp.vec3d],
    faces: wp.array[wp.int32],
    places: wp.array[wp.vec3d],
    out: Annotation,
):
    """Depth and identity at `frame`; `faces` and `places` (u, v, z) keep the material points for `follow`."""
    i = wp.tid()
    pixel = first + i
    here = pixel_of(cameras, pixel)
    hit = still_hits[i]
    place = still_places[i]
    if in_window(surfaces, frame, wp.float32(here[0]), wp.float32(here[1])):
        origin = cameras.centres[frame]
        direction = cameras.rays[frame] * here
        front = cast_moving(surfaces, wp.vec3(origin), wp.vec3(direction), hit)
        if front.face != hit.face:
            hit = front
            place = place_of(surfaces, cameras, frame, origin, direction, hit)
    depth = cameras.far
    instance = wp.uint16(0)
    if hit.face >= 0:
        depth = wp.float32(place[2])
        instance = surfaces.instance[hit.face]
    faces[i] = hit.face
    places[i] = place
    out.depth[frame, pixel] = depth
    out.valid[frame, pixel] = hit.face >= 0
    out.segmentation[frame, pixel] = instance


@wp.func
def stays_visible(surfaces: Surfaces, cameras: Cameras, frame: wp.int32, here: wp.vec3d, face: wp.int32, z: wp.float64):
    """Whether a still point under a still camera, seen at `here`, has no moving face before it at `frame`."""
    visible = bool(True)
    if in_window(surfaces, frame, wp.float32(here[0]), wp.float32(here[1])):
        reach = cameras.far
        if face >= 0:
            reach = wp.float32(z) * (1.0 - OCCLUSION_MARGIN)
        direction = wp.vec3(cameras.rays[frame] * here)
        visible = not occluded(surfaces, wp.vec3(cameras.centres[frame]), direction, reach, face, True, False)
    return visible


@wp.kernel
def follow(
    surfaces: Surfaces,
    cameras: Cameras,
    frame: wp.int32,
    first: wp.int32,
    faces: wp.array[wp.int32],
    places: wp.array[wp.vec3d],
    out: Annotation,
):
    """Where the material points seen at `frame` are in the next one, whose moving mesh must be in place.

    A pixel without a hit is a point at infinity. A point that is not in front of the next camera has flow 0 and is
    not visible.
    """
    i = wp.tid()
    pixel = first + i
    here = pixel_of(cameras, pixel)
    face = faces[i]
    flow = wp.vec2(0.0, 0.0)
    change = wp.float32(0.0)
    visible = bool(False)
    stays = bool(cameras.still)
    if face >= 0:
        stays = stays and not surfaces.moves[face]
    if stays:
        visible = stays_visible(surfaces, cameras, frame + 1, here, face, places[i][2])
    else:
        centre = cameras.centres[frame + 1]
        towards = cameras.rays[frame] * here
        if face >= 0:
            towards = point_on(surfaces, frame + 1, face, places[i][0], places[i][1]) - centre
        there = cameras.projections[frame + 1] * towards
        if face >= 0:
            change = wp.float32(there[2] - places[i][2])
        if there[2] > NEAREST_Z:
            landed = wp.vec2d(there[0] / there[2], there[1] / there[2])
            flow = wp.vec2(wp.float32(landed[0] - here[0]), wp.float32(landed[1] - here[1]))
            if in_frame(cameras, landed):
                reach = 1.0 - OCCLUSION_MARGIN
                if face < 0:
                    reach = cameras.far / wp.float32(there[2])
                ask_moving = in_window(surfaces, frame + 1, wp.float32(landed[0]), wp.float32(landed[1]))
                visible = not occluded(surfaces, wp.vec3(centre), wp.vec3(towards), reach, face, ask_moving, True)
    out.flow[frame, pixel] = flow
    out.depth_change[frame, pixel] = change
    out.visible[frame, pixel] = visible


@wp.kernel
def see_points(
    surfaces: Surfaces,
    cameras: Cameras,
    frame: wp.int32,
    faces: wp.array[wp.int32],
    weights: wp.array[wp.vec2d],
    visible: wp.array2d[wp.bool],
):
    """Whether material points (face, weights of its first two vertices) are in the frame and unoccluded."""
    i = wp.tid()
    centre = cameras.centres[frame]
    towards = point_on(surfaces, frame, faces[i], weights[i][0], weights[i][1]) - centre
    there = cameras.projections[frame] * towards
    seen = bool(False)
    if there[2] > NEAREST_Z and in_frame(cameras, wp.vec2d(there[0] / there[2], there[1] / there[2])):
        reach = 1.0 - OCCLUSION_MARGIN
        seen = not occluded(surfaces, wp.vec3(centre), wp.vec3(towards), reach, faces[i], True, True)
    visible[frame, i] = seen


@wp.kernel
def find_faces(
    mesh: wp.uint64, origin: wp.vec3, directions: wp.array[wp.vec3], far: wp.float32, faces: wp.array[wp.int32]
):
    """The face of a mesh that each ray meets first, -1 where there is none before `far`."""
    i = wp.tid()
    faces[i] = -1
    query = wp.mesh_query_ray(mesh, origin, directions[i], far)
    if query.result:
        faces[i] = query.face
