"""Any motion with more triangles: what a renderer's speed at a number of them is measured on."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from components.simulation.scene import Motion


def with_triangles(motion: Motion, count: int) -> Motion:
    """The same surfaces in `count` triangles, up to two more; as it is where it has as many.

    A triangle becomes four by the middles of its edges: round after round all of them, in the last the first ones.
    """
    while len(motion.faces) < count:
        motion = _split(motion, min(len(motion.faces), -(-(count - len(motion.faces)) // 3)))
    return motion


def _split(motion: Motion, count: int) -> Motion:
    """The first `count` faces in four each."""
    a, b, c = motion.faces[:count].T
    edges = np.sort(np.stack([np.stack(pair) for pair in ((a, b), (b, c), (c, a))]).transpose(2, 0, 1), axis=2)
    pairs, found = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
    ab, bc, ca = (len(motion.reference) + found.reshape(count, 3)).T
    corners = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    made = np.concatenate([np.stack(triangle, axis=1) for triangle in corners]).astype(np.int32)
    normals = _with_middles(motion.normals, pairs)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return replace(
        motion,
        vertices=_with_middles(motion.vertices, pairs),
        normals=normals / np.where(length > 0, length, 1.0),
        reference=_with_middles(motion.reference, pairs),
        faces=np.concatenate([motion.faces[count:], made]),
        face_body=np.concatenate([motion.face_body[count:], np.tile(motion.face_body[:count], 4)]),
    )


def _with_middles(values: NDArray[np.float64], pairs: NDArray[np.int32]) -> NDArray[np.float64]:
    """Values (...,V,3) and behind them the middles of the pairs (E,2)."""
    return np.concatenate([values, values[..., pairs, :].mean(axis=-2)], axis=-2)
