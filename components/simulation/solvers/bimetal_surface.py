"""The skin of a bent strip.

Legend: T frames, S stations along the strip.
"""

import numpy as np
from numpy.typing import NDArray

from components.simulation.scene import FloatArray
from components.simulation.solvers.surfaces import Surface
from components.simulation.things.strip import Strip

# The corners of a section, across and towards the second metal, in units of width and thickness: two a side.
CORNERS = np.array([[-1, -1], [1, -1], [1, -1], [1, 1], [1, 1], [-1, 1], [-1, 1], [-1, -1]]) / 2
FACING = np.repeat([[0, -1], [1, 0], [0, 1], [-1, 0]], 2, axis=0)  # their outward normals


def strip_surface(strip: Strip, points: FloatArray, normals: FloatArray, heat: FloatArray) -> Surface:
    """A closed skin around points (T,S,3), with unit normals (T,S,3) towards the second metal and heat (T,S).

    Sections of eight vertices, so that edges stay sharp, then the two ends of four.
    """
    side = np.cross(strip.along, strip.towards)
    width, thickness = CORNERS[:, :1] * strip.width, CORNERS[:, 1:] * strip.thickness
    towards = normals[:, :, None]
    sections = points[:, :, None] + width * side + thickness * towards
    outward = FACING[:, :1] * side + FACING[:, 1:] * towards
    ends = np.cross(towards[:, [0, -1]], side) * np.array([-1.0, 1.0])[:, None, None]
    place = np.linspace(0.0, strip.length, points.shape[1])[:, None, None]
    flat = np.concatenate([np.broadcast_to(part, (len(place), 8, 1)) for part in (place, width, thickness)], axis=2)
    return Surface(
        vertices=_with_ends(sections),
        normals=np.concatenate([_flattened(outward), _flattened(np.repeat(ends, 4, axis=2))], axis=1),
        reference=_with_ends(flat[None])[0],
        faces=_faces(points.shape[1]),
        heat=_with_ends(np.repeat(heat[:, :, None, None], 8, axis=2))[..., 0],
    )


def _flattened(sections: FloatArray) -> FloatArray:
    return sections.reshape(len(sections), -1, sections.shape[-1])


def _with_ends(sections: FloatArray) -> FloatArray:
    return np.concatenate([_flattened(sections), _flattened(sections[:, [0, -1]][:, :, ::2])], axis=1)


def _faces(stations: int) -> NDArray[np.int32]:
    here = (8 * np.arange(stations - 1)[:, None] + np.arange(0, 8, 2)).ravel()
    there = here + 8
    sides = [np.stack([here, there + 1, here + 1], axis=1), np.stack([here, there, there + 1], axis=1)]
    end = 8 * stations
    caps = np.array([[0, 1, 2], [0, 2, 3], [4, 6, 5], [4, 7, 6]]) + end
    return np.concatenate([*sides, caps]).astype(np.int32)
