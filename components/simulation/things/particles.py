"""Matter made of many particles: one thing, one instance, drawn as one small sphere for each particle.

Legend: T frames, P particles, V vertices of all spheres.
"""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from components.simulation.meshes import Mesh, icosphere
from components.simulation.rotations import matrices
from components.simulation.scene import FloatArray, Kind, Thing
from components.simulation.solvers.surfaces import Surface


@dataclass(frozen=True, kw_only=True, eq=False)
class Particles(Thing):
    """`points` (P,3): the particles' centres at frame 0, in metres; `radius`: that of the spheres that are drawn.

    `position` is the centre of mass, `velocity` that of every particle.
    """

    kind: ClassVar[Kind] = "particles"

    points: FloatArray
    radius: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Liquid(Particles):
    """spacing: metres between neighbours at rest, so that each stands for its cube; viscosity in Pa s."""

    spacing: float
    density: float = 1000.0
    viscosity: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Grains(Particles):
    """Equal balls of `radius`; friction and restitution as of a Body, with which they multiply."""

    friction: float = 0.6
    rolling_friction: float = 0.0
    restitution: float = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class Sand(Grains):
    """So many grains that they are solved as a continuum, in which they neither roll nor bounce."""


def particle_surface(
    thing: Particles,
    centres: FloatArray,
    quaternions: FloatArray | None = None,
    *,
    subdivisions: int,
    heat: FloatArray | None = None,
) -> Surface:
    """A sphere around each of the centres (T,P,3), turned by quaternions (T,P,4) where particles turn.

    subdivisions 0: 12 vertices and 20 faces a sphere; 1: 42 and 80. Textures are evaluated where a particle begins, so
    that a pattern marks the matter and moves with it. heat (T,P): as in `Motion`.
    """
    ball = _ball(subdivisions)
    frames, count, _ = centres.shape
    around = ball.vertices * thing.radius
    if quaternions is None:
        vertices = centres[:, :, None, :] + around
        normals = np.broadcast_to(ball.normals, vertices.shape)
    else:
        turn = matrices(quaternions.reshape(-1, 4)).reshape(frames, count, 3, 3).swapaxes(2, 3)
        vertices = centres[:, :, None, :] + around @ turn
        normals = ball.normals @ turn
    starts = np.arange(count) * len(around)
    return Surface(
        vertices=vertices.reshape(frames, -1, 3),
        normals=normals.reshape(frames, -1, 3),
        reference=(thing.points[:, None, :] + around).reshape(-1, 3),
        faces=(ball.faces + starts[:, None, None]).reshape(-1, 3).astype(np.int32),
        heat=None if heat is None else np.repeat(heat, len(around), axis=1),
    )


@cache
def _ball(subdivisions: int) -> Mesh:
    return icosphere(subdivisions)
