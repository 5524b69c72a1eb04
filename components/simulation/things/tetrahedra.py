"""Solids cut into tetrahedra: boxes, cylinders and balls of even, well-shaped cells.

A few large tetrahedra are cut into n^3 each along the planes of a cubic lattice (Kuhn 1960); where two of them share a
side they are cut alike, as long as both name its corners in the same order.
Legend: V vertices, M cells, F faces of the surface, C corners of the large tetrahedra, P large tetrahedra.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from components.simulation.meshes import icosphere
from components.simulation.scene import FloatArray, Vec3

SECTORS = 6  # of a cylinder: triangles across it are then near equilateral
KEPT = 4  # solids: a body asks for its own several times
FLAT = 0.9  # cosine to an axis from which a face belongs to a flat side


@dataclass(frozen=True, kw_only=True, eq=False)
class Solid:
    """vertices (V,3); cells (M,4) of positive volume; faces (F,3), counter-clockwise from outside; sides (F,).

    Faces of one side are drawn as one smooth surface; an edge between two sides is sharp.
    """

    vertices: FloatArray
    cells: NDArray[np.int32]
    faces: NDArray[np.int32]
    sides: NDArray[np.int32]


@lru_cache(maxsize=KEPT)
def box(half_extents: Vec3, counts: tuple[int, int, int]) -> Solid:
    """A box of `counts` small boxes along its axes, of six cells each; its six sides are flat."""
    paths = [np.cumsum([[0, 0, 0], *np.eye(3, dtype=int)[list(order)]], axis=0) for order in permutations(range(3))]
    places = np.array(list(np.ndindex(*counts)))
    mirrored = (places % 2 == 1)[:, None, None, :]  # diagonals alternate: no direction is preferred
    corners = np.where(mirrored, 1 - np.array(paths), np.array(paths)) + places[:, None, None, :]
    grid, numbers = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    vertices = (2 * grid / np.array(counts) - 1) * np.array(half_extents)
    return _solid(vertices, numbers.reshape(-1, 4), flat=(0, 1, 2))


@lru_cache(maxsize=KEPT)
def ball(radius: float, shells: int) -> Solid:
    """A ball of `shells`: the twenty parts of an icosahedron, each cut into shells^3 cells, pushed out to spheres."""
    outer = icosphere(0)
    coarse = np.concatenate([np.zeros((1, 3)), outer.normals])
    parts = np.concatenate([np.zeros((len(outer.faces), 1), int), np.sort(outer.faces + 1, axis=1)], axis=1)
    weights, cells = _cut(parts, len(coarse), shells)
    return _solid(radius * _rounded(weights @ coarse, 1.0 - weights[:, 0]), cells, flat=())


@lru_cache(maxsize=KEPT)
def cylinder(radius: float, height: float, rings: int) -> Solid:
    """A cylinder that stands along z, of `rings` rings and as many layers."""
    turn = 2 * np.pi * np.arange(SECTORS) / SECTORS
    disc = np.concatenate([[[0.0, 0.0]], np.stack([np.cos(turn), np.sin(turn)], axis=1)])
    coarse = np.concatenate([np.insert(disc, 2, z, axis=1) for z in (-0.5, 0.5)])
    above = len(disc)
    parts = []
    for sector in range(SECTORS):
        a, b, c = 0, *sorted((1 + sector, 1 + (sector + 1) % SECTORS))
        parts += [(a, b, c, c + above), (a, b, b + above, c + above), (a, a + above, b + above, c + above)]
    weights, cells = _cut(np.array(parts), len(coarse), rings)
    places = weights @ coarse
    places[:, :2] = radius * _rounded(places[:, :2], 1.0 - weights[:, 0] - weights[:, above])
    return _solid(places * (1.0, 1.0, height), cells, flat=(2,))


def _cut(parts: NDArray[np.int64], corners: int, count: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Weights (V,C) of the vertices over the corners, and cells (P count^3,4), from parts (P,4), corners ascending."""
    paths = [np.cumsum([[0, 0, 0], *np.eye(3, dtype=int)[list(order)]], axis=0) for order in permutations(range(3))]
    places = np.array(list(np.ndindex(count, count, count)))
    lattice = (places[:, None, None, :] + np.array(paths)).reshape(-1, 4, 3)
    x, y, z = np.moveaxis(lattice, -1, 0)
    own = np.stack([count - x, x - y, y - z, z], axis=-1)[((x >= y) & (y >= z)).all(axis=1)]  # (cells,4,4 corners)
    weights = np.zeros((len(parts), *own.shape[:2], corners), np.int64)
    for row, part in zip(weights, parts, strict=True):
        row[..., part] = own
    unique, numbers = np.unique(weights.reshape(-1, corners), axis=0, return_inverse=True)
    return unique / count, numbers.reshape(-1, 4)


def _rounded(places: FloatArray, radii: FloatArray) -> FloatArray:
    """Every place moved along its direction to its radius."""
    length = np.linalg.norm(places, axis=1, keepdims=True)
    return np.asarray(places / np.maximum(length, 1e-12) * radii[:, None], np.float64)


def _solid(vertices: FloatArray, cells: NDArray[np.int64], *, flat: tuple[int, ...]) -> Solid:
    """Cells turned the right way, and the surface: what one cell alone has; sides across the axes `flat` are flat."""
    cells = np.where((volumes(vertices, cells) < 0)[:, None], cells[:, [0, 1, 3, 2]], cells)
    sides = np.concatenate([cells[:, corners] for corners in ([1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1])])
    _, first, counts = np.unique(np.sort(sides, axis=1), axis=0, return_index=True, return_counts=True)
    faces = sides[np.sort(first[counts == 1])]
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    numbers = np.zeros(len(faces))
    for axis in flat:
        numbers[normals[:, axis] > FLAT] = 2 * axis + 1
        numbers[normals[:, axis] < -FLAT] = 2 * axis + 2
    return Solid(
        vertices=vertices,
        cells=cells.astype(np.int32),
        faces=faces.astype(np.int32),
        sides=numbers.astype(np.int32),
    )


def volumes(vertices: FloatArray, cells: NDArray[np.int64] | NDArray[np.int32]) -> FloatArray:
    """Signed volumes (M,) in m^3."""
    a, b, c, d = (vertices[cells[:, corner]] for corner in range(4))
    return np.asarray(np.einsum("mi,mi->m", np.cross(b - a, c - a), d - a) / 6, np.float64)
