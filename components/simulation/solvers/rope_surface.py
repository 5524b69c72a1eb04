"""A rope as one closed tube that bends smoothly with its links.

Legend: T frames, L links, S rings along the rope, R vertices of a ring.
"""

import numpy as np
from numpy.typing import NDArray

from components.simulation.rotations import matrices
from components.simulation.scene import IDENTITY, FloatArray
from components.simulation.solvers.surfaces import Surface
from components.simulation.things.rope import Rope

AROUND = 10  # vertices of a ring
PER_LINK = 3  # rings


def rope_surface(rope: Rope, states: FloatArray) -> tuple[Surface, FloatArray]:
    """The tube of a rope and its state (T,13), both from the states (T,L,13) of its links."""
    points = rope_points(rope, states)
    centres, tangents = _spline(points)
    first, second = _frames(tangents)
    angle = 2 * np.pi * np.arange(AROUND) / AROUND
    ring = np.cos(angle)[:, None] * first[:, :, None] + np.sin(angle)[:, None] * second[:, :, None]  # T,S,R,3
    radius = rope.radius / np.sqrt(np.cos(np.pi / AROUND))  # between the circle's polygons inside and outside
    tube = centres[:, :, None] + radius * ring
    ends = [
        (tube[:, end], centres[:, end, None], sign * tangents[:, end, None]) for end, sign in ((0, -1.0), (-1, 1.0))
    ]
    vertices = [tube.reshape(len(tube), -1, 3)]
    normals = [ring.reshape(len(tube), -1, 3)]
    for rim, middle, outward in ends:  # flat caps with vertices of their own
        vertices.append(np.concatenate([rim, middle], axis=1))
        normals.append(np.repeat(outward, AROUND + 1, axis=1))
    surface = Surface(
        vertices=np.concatenate(vertices, axis=1),
        normals=np.concatenate(normals, axis=1),
        reference=_reference(rope, radius, len(tangents[0])),
        faces=_faces(len(tangents[0])),
    )
    return surface, _state(states)


def rope_points(rope: Rope, states: FloatArray) -> FloatArray:
    """Ends of the links (T,L+1,3) from the states (T,L,13) of the links."""
    half = np.diff(np.array(rope.points), axis=0) / 2  # L,3 at frame 0, where the links' axes are the world's
    turned = np.einsum("tlij,lj->tli", _matrices(states[:, :, 3:7]), half)
    starts, stops = states[:, :, :3] - turned, states[:, :, :3] + turned
    return np.concatenate([starts[:, :1], (starts[:, 1:] + stops[:, :-1]) / 2, stops[:, -1:]], axis=1)


def _matrices(quaternions: FloatArray) -> FloatArray:
    return matrices(quaternions.reshape(-1, 4)).reshape(*quaternions.shape[:2], 3, 3)


def _state(states: FloatArray) -> FloatArray:
    """Of the centre of mass of links of one mass."""
    state = np.asarray(states.mean(axis=1), np.float64)
    state[:, 3:7], state[:, 10:] = IDENTITY, 0.0
    return state


def _spline(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Centres and unit tangents (T,S,3) of the Catmull-Rom curve through points (T,L+1,3), straight beyond its ends."""
    before = 2 * points[:, :1] - points[:, 1:2]
    beyond = 2 * points[:, -1:] - points[:, -2:-1]
    padded = np.concatenate([before, points, beyond], axis=1)
    a, b, c, d = (padded[:, k : k + points.shape[1] - 1, None] for k in range(4))
    u = (np.arange(PER_LINK) / PER_LINK)[:, None]
    centres = (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3) / 2
    tangents = ((c - a) + 2 * (2 * a - 5 * b + 4 * c - d) * u + 3 * (3 * b - a - 3 * c + d) * u**2) / 2
    flat = (len(points), -1, 3)
    last = (points[:, -1] - points[:, -2])[:, None]
    centres = np.concatenate([centres.reshape(flat), points[:, -1:]], axis=1)
    tangents = np.concatenate([tangents.reshape(flat), last], axis=1)
    return centres, tangents / np.linalg.norm(tangents, axis=-1, keepdims=True)


def _frames(tangents: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two unit vectors (T,S,3) across the rope that turn with it and not about it: each is the last one, projected."""
    first = np.empty_like(tangents)
    across = np.zeros((len(tangents), 3))
    across[:, 1] = 1.0  # ropes begin across the y axis
    for place in range(tangents.shape[1]):
        across = across - (across * tangents[:, place]).sum(axis=1, keepdims=True) * tangents[:, place]
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        first[:, place] = across
    return first, np.cross(tangents, first)


def _reference(rope: Rope, radius: float, rings: int) -> FloatArray:
    """The straight rope along z."""
    angle = 2 * np.pi * np.arange(AROUND) / AROUND
    along = np.linspace(0.0, rope.link * (len(rope.points) - 1), rings)
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    tube = np.concatenate([np.tile(ring, (rings, 1)), np.repeat(along, AROUND)[:, None]], axis=1)
    caps = [np.concatenate([tube[rows], [[0.0, 0.0, z]]]) for rows, z in _rims(along)]
    return np.concatenate([tube, *caps])


def _rims(along: FloatArray) -> list[tuple[slice, float]]:
    return [(slice(0, AROUND), float(along[0])), (slice(-AROUND, None), float(along[-1]))]


def _faces(rings: int) -> NDArray[np.int32]:
    here, there = np.arange(AROUND), np.roll(np.arange(AROUND), -1)
    quads = [
        np.stack([here, there, there + AROUND, here, there + AROUND, here + AROUND], axis=1).reshape(-1, 3)
        + ring * AROUND
        for ring in range(rings - 1)
    ]
    low = rings * AROUND
    high = low + AROUND + 1
    bottom = np.stack([there + low, here + low, np.full(AROUND, low + AROUND)], axis=1)
    top = np.stack([here + high, there + high, np.full(AROUND, high + AROUND)], axis=1)
    return np.concatenate([*quads, bottom, top]).astype(np.int32)
