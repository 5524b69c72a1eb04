"""Constraints of a mesh in colours: no two of one colour share a vertex, so that a colour is solved at once.

Legend: V vertices, F faces, C constraints, N vertices of a constraint.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.simulation.scene import FloatArray
from components.simulation.things.membrane import face_areas


@dataclass(frozen=True, kw_only=True, eq=False)
class HingeRows:
    """corners (C,4), weights (C,4), rest (C,) and areas (C,) of the two faces of every inner edge."""

    corners: NDArray[np.int32]
    weights: FloatArray
    rest: FloatArray
    areas: FloatArray


def colours(constraints: NDArray[np.int32], vertices: int) -> NDArray[np.int32]:
    """A colour (C,) for each of constraints (C,N): the first that none of its vertices has yet."""
    taken = [0] * vertices  # a bit for each colour
    chosen = np.empty(len(constraints), np.int32)
    for row, corners in enumerate(constraints.tolist()):
        used = 0
        for corner in corners:
            used |= taken[corner]
        free = ~used & (used + 1)
        for corner in corners:
            taken[corner] |= free
        chosen[row] = free.bit_length() - 1
    return chosen


def hinges(rest: FloatArray, faces: NDArray[np.int32]) -> HingeRows:
    """The isometric bending model: weights K of Bergou et al. 2006, A Quadratic Bending Model, equation 4.

    |sum K x| is the edge's length times the angle of the fold. With a stiffness of rigidity / area, folds along the
    threads of a square grid have their flexural rigidity, and so have equilateral triangles (Seung, Nelson 1988).
    """
    sides = np.concatenate([faces[:, [0, 1, 2]], faces[:, [1, 2, 0]], faces[:, [2, 0, 1]]])  # edge, opposite
    owner = np.tile(np.arange(len(faces)), 3)
    edge = np.sort(sides[:, :2], axis=1)
    order = np.lexsort((edge[:, 1], edge[:, 0]))
    edge, opposite, owner = edge[order], sides[order, 2], owner[order]
    pair = np.flatnonzero((edge[1:] == edge[:-1]).all(axis=1))
    corners = np.concatenate([edge[pair], opposite[pair, None], opposite[pair + 1, None]], axis=1)
    a, b, c, d = (rest[corners[:, k]] for k in range(4))
    at_a = _cotangent(b - a, c - a), _cotangent(b - a, d - a)
    at_b = _cotangent(a - b, c - b), _cotangent(a - b, d - b)
    weights = np.stack([at_b[0] + at_b[1], at_a[0] + at_a[1], -at_a[0] - at_b[0], -at_a[1] - at_b[1]], axis=1)
    curvature = np.einsum("ck,cki->ci", weights, rest[corners])
    areas = face_areas(rest, faces)
    return HingeRows(
        corners=corners.astype(np.int32),
        weights=weights,
        rest=np.linalg.norm(curvature, axis=1),
        areas=areas[owner[pair]] + areas[owner[pair + 1]],
    )


def _cotangent(u: FloatArray, v: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ci,ci->c", u, v) / np.linalg.norm(np.cross(u, v), axis=1), np.float64)


def faces_around(faces: NDArray[np.int32], vertices: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Starts (V+1,) into the list (3F,) of the faces around every vertex."""
    around = (np.argsort(faces.ravel(), kind="stable") // 3).astype(np.int32)
    counts = np.bincount(faces.ravel(), minlength=vertices)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32), around
