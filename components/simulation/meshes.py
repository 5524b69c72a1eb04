"""Triangle meshes of the primitive shapes, in the body's own coordinates: closed, wound counter-clockwise from outside.

Legend: V vertices, F faces.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from components.simulation.scene import FloatArray, Shape, Vec3

SUBDIVISIONS = 3  # 642 vertices: the silhouette stays within .3 % of the radius
SEGMENTS = 48  # of a cylinder


@dataclass(frozen=True, kw_only=True, eq=False)
class Mesh:
    """vertices (V,3), outward unit normals (V,3), faces (F,3)."""

    vertices: FloatArray
    normals: FloatArray
    faces: NDArray[np.int32]


def shape_mesh(shape: Shape, size: Vec3) -> Mesh:
    """The mesh of a primitive; `size` as in `Shape`. Cylinders stand along z."""
    unit, scale = {
        Shape.SPHERE: (unit_sphere, (size[0], size[0], size[0])),
        Shape.BOX: (unit_box, size),
        Shape.CYLINDER: (unit_cylinder, (size[0], size[0], size[1])),
    }[shape]
    mesh = unit()
    return Mesh(vertices=mesh.vertices * np.array(scale), normals=mesh.normals, faces=mesh.faces)


@cache
def unit_sphere() -> Mesh:
    """The sphere of radius 1 that bodies are drawn with."""
    return icosphere(SUBDIVISIONS)


def icosphere(subdivisions: int) -> Mesh:
    """An icosphere of radius 1 in the mean over its area; normals are those of the true sphere."""
    vertices, faces = _icosahedron()
    for _ in range(subdivisions):
        vertices, faces = _subdivide(vertices, faces)
    corners = vertices[faces]
    midpoints = (corners + np.roll(corners, 1, axis=1)) / 2  # integrates a quadratic over a triangle exactly
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    radius = np.average(np.linalg.norm(midpoints, axis=2).mean(axis=1), weights=areas)
    return Mesh(vertices=vertices / radius, normals=vertices, faces=faces)


@cache
def unit_box() -> Mesh:
    """The box of half extents 1: every side has its own four vertices, so that edges stay sharp."""
    vertices: list[FloatArray] = []
    normals: list[FloatArray] = []
    faces: list[tuple[int, int, int]] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal = np.zeros(3)
            normal[axis] = sign
            u, v = np.roll(np.eye(3), axis + 1, axis=1)[:2] * np.array([[sign], [1.0]])
            base = 4 * len(normals)
            vertices += [normal - u - v, normal + u - v, normal + u + v, normal - u + v]
            normals.append(normal)
            faces += [(base, base + 1, base + 2), (base, base + 2, base + 3)]
    return Mesh(
        vertices=np.array(vertices), normals=np.repeat(np.array(normals), 4, axis=0), faces=np.array(faces, np.int32)
    )


@cache
def unit_cylinder() -> Mesh:
    """Radius 1 in the mean and height 1 along z; the side and the two caps have vertices of their own."""
    angle = 2 * np.pi * np.arange(SEGMENTS) / SEGMENTS
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(SEGMENTS)], axis=1)
    half = np.pi / SEGMENTS
    radius = 1 / ((1 + np.arcsinh(np.tan(half)) / np.tan(half) * np.cos(half)) / 2)
    up = np.array([0.0, 0.0, 0.5])
    low, high = ring * radius - up, ring * radius + up
    vertices = np.concatenate([low, high, low, high, [-up, up]])
    normals = np.concatenate(
        [ring, ring, np.tile(-2 * up, (SEGMENTS, 1)), np.tile(2 * up, (SEGMENTS, 1)), [-2 * up, 2 * up]]
    )
    here, there = np.arange(SEGMENTS), np.roll(np.arange(SEGMENTS), -1)
    n = SEGMENTS
    faces = np.concatenate(
        [
            np.stack([here, there, there + n], axis=1),
            np.stack([here, there + n, here + n], axis=1),
            np.stack([there + 2 * n, here + 2 * n, np.full(n, 4 * n)], axis=1),
            np.stack([here + 3 * n, there + 3 * n, np.full(n, 4 * n + 1)], axis=1),
        ]
    )
    return Mesh(vertices=vertices, normals=normals, faces=faces.astype(np.int32))


def _icosahedron() -> tuple[FloatArray, NDArray[np.int32]]:
    golden = (1 + np.sqrt(5)) / 2
    corners = [(-1, golden, 0), (1, golden, 0), (-1, -golden, 0), (1, -golden, 0)]
    vertices = np.array([np.roll(corner, shift) for shift in (0, 1, 2) for corner in corners], np.float64)
    faces = [
        (0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11),
        (1, 5, 9), (5, 11, 4), (11, 10, 2), (10, 7, 6), (7, 1, 8),
        (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8), (3, 8, 9),
        (4, 9, 5), (2, 4, 11), (6, 2, 10), (8, 6, 7), (9, 8, 1),
    ]  # fmt: skip
    return vertices / np.linalg.norm(vertices[0]), np.array(faces, np.int32)


def _subdivide(vertices: FloatArray, faces: NDArray[np.int32]) -> tuple[FloatArray, NDArray[np.int32]]:
    """Split every triangle into four and push the new vertices out to radius 1."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, inverse = np.unique(edges, axis=0, return_inverse=True)
    middles = vertices[unique].sum(axis=1)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    a, b, c = faces.T
    ab, bc, ca = (inverse.reshape(3, -1) + len(vertices)).astype(np.int32)
    split = np.concatenate(
        [np.stack(corners, axis=1) for corners in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))]
    )
    return np.concatenate([vertices, middles]), split.astype(np.int32)
