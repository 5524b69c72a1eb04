"""What a solver draws: the surfaces of single things, put together into a motion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.simulation.meshes import shape_mesh
from components.simulation.rotations import matrices
from components.simulation.scene import Body, FloatArray, Motion


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """One thing's part of a `Motion`: vertices, normals (T,V,3), reference (V,3), faces (F,3) of its own vertices.

    heat (T,V): as in `Motion`; None of what has no temperature.
    """

    vertices: FloatArray
    normals: FloatArray
    reference: FloatArray
    faces: NDArray[np.int32]
    heat: FloatArray | None = None


def body_surface(body: Body, poses: FloatArray) -> Surface:
    """A primitive's mesh, carried along with poses (T,7)."""
    mesh = shape_mesh(body.shape, body.size)
    rotation = matrices(poses[:, 3:]).transpose(0, 2, 1)
    return Surface(
        vertices=mesh.vertices @ rotation + poses[:, None, :3],
        normals=mesh.normals @ rotation,
        reference=mesh.vertices,
        faces=mesh.faces,
    )


def static_surface(body: Body, frames: int) -> Surface:
    """A primitive that stays where it is."""
    return body_surface(body, np.tile((*body.position, *body.orientation), (frames, 1)))


def assemble(surfaces: Sequence[Surface], states: FloatArray) -> Motion:
    """The motion of a scene from the surface of each of its things and the states (T,N,13) of the dynamic ones."""
    starts = np.cumsum([0] + [len(surface.reference) for surface in surfaces])
    faces = [surface.faces + start for surface, start in zip(surfaces, starts, strict=False)]
    return Motion(
        vertices=np.concatenate([surface.vertices for surface in surfaces], axis=1),
        normals=np.concatenate([surface.normals for surface in surfaces], axis=1),
        reference=np.concatenate([surface.reference for surface in surfaces]),
        faces=np.concatenate(faces).astype(np.int32),
        face_body=np.repeat(np.arange(len(surfaces)), [len(surface.faces) for surface in surfaces]).astype(np.int32),
        poses=states[:, :, :7],
        velocities=states[:, :, 7:],
        heat=_heat(surfaces),
    )


def _heat(surfaces: Sequence[Surface]) -> FloatArray | None:
    """Of all surfaces (T,V), or None where none has any."""
    if all(surface.heat is None for surface in surfaces):
        return None
    parts = [np.zeros(part.vertices.shape[:2]) if part.heat is None else part.heat for part in surfaces]
    return np.concatenate(parts, axis=1)
