"""What the kernels read of a world, and the rays they cast into it.

Legend: T frames, V vertices, F faces. A ray's direction has z = 1 in its camera, so its parameter is z-depth.
"""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors

import warp as wp

wp.set_module_options({"enable_backward": False})

ANYWHERE = wp.constant(1.0e30)


@wp.struct
class Surfaces:
    """Triangles in two meshes: `still` ones never move, so their BVH is built once; `moving` ones are refitted.

    A mesh without triangles has id 0. At each frame the moving faces lie within a box of the world and a window of the
    picture; rays outside of these are not cast at all.
    """

    vertices: wp.array2d[wp.vec3d]  # (T,V)
    normals: wp.array2d[wp.vec3]  # (T,V)
    reference: wp.array[wp.vec3]  # (V)
    heat: wp.array2d[wp.float32]  # (T,V), or empty where nothing is hot
    faces: wp.array[wp.vec3i]  # (F)
    body: wp.array[wp.int32]  # (F)
    instance: wp.array[wp.uint16]  # (F)
    moves: wp.array[wp.bool]  # (F)
    still_mesh: wp.uint64
    moving_mesh: wp.uint64
    still_faces: wp.array[wp.int32]  # face of each triangle of the mesh
    moving_faces: wp.array[wp.int32]
    lower: wp.array[wp.vec3]  # (T) corner of the box
    upper: wp.array[wp.vec3]  # (T) opposite corner
    windows: wp.array[wp.vec4]  # (T) left, top, right, bottom


@wp.struct
class Cameras:
    """One camera per frame. rays: pixel (u, v, 1) to world direction; projections: the inverse."""

    centres: wp.array[wp.vec3d]  # (T)
    rays: wp.array[wp.mat33d]  # (T)
    projections: wp.array[wp.mat33d]  # (T)
    width: wp.int32
    height: wp.int32
    far: wp.float32
    still: wp.bool


@wp.struct
class Hit:
    """A face (-1: none), the weights u, v of its first two vertices, and the ray's parameter."""

    face: wp.int32
    u: wp.float32
    v: wp.float32
    t: wp.float32


@wp.func
def pixel_of(cameras: Cameras, pixel: wp.int32):
    """(u, v, 1) of a pixel's centre."""
    return wp.vec3d(wp.float64(pixel % cameras.width), wp.float64(pixel / cameras.width), wp.float64(1.0))


@wp.func
def cast(mesh: wp.uint64, mesh_faces: wp.array[wp.int32], origin: wp.vec3, direction: wp.vec3, max_t: wp.float32):
    """The nearest face of a mesh before max_t; no hit has t = max_t."""
    hit = Hit()
    hit.face = -1
    hit.t = max_t
    if mesh != wp.uint64(0):
        query = wp.mesh_query_ray(mesh, origin, direction, max_t)
        if query.result:
            hit.face = mesh_faces[query.face]
            hit.u = query.u
            hit.v = query.v
            hit.t = query.t
    return hit


@wp.func
def cast_moving(surfaces: Surfaces, origin: wp.vec3, direction: wp.vec3, behind: Hit):
    """The nearest moving face in front of `behind`, else `behind`."""
    hit = cast(surfaces.moving_mesh, surfaces.moving_faces, origin, direction, behind.t)
    if hit.face < 0:
        hit = behind
    return hit


@wp.func
def heat_at(surfaces: Surfaces, frame: wp.int32, hit: Hit):
    """Place in the temperature colours of a hit, where something is hot."""
    corners = surfaces.faces[hit.face]
    heat = hit.u * surfaces.heat[frame, corners[0]] + hit.v * surfaces.heat[frame, corners[1]]
    return heat + (1.0 - hit.u - hit.v) * surfaces.heat[frame, corners[2]]


@wp.func
def in_window(surfaces: Surfaces, frame: wp.int32, u: wp.float32, v: wp.float32):
    """Whether a moving face can be seen at a pixel's centre, or anywhere in its area."""
    window = surfaces.windows[frame]
    return u >= window[0] and v >= window[1] and u <= window[2] and v <= window[3]


@wp.func
def point_on(surfaces: Surfaces, frame: wp.int32, face: wp.int32, u: wp.float64, v: wp.float64):
    """A material point in the world."""
    corners = surfaces.faces[face]
    a = surfaces.vertices[frame, corners[0]]
    b = surfaces.vertices[frame, corners[1]]
    c = surfaces.vertices[frame, corners[2]]
    return u * a + v * b + (wp.float64(1.0) - u - v) * c
