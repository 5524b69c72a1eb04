"""Membranes: surfaces without thickness that stretch and bend. A cloth is open; an inflatable is closed around a gas.

Legend: V vertices, F faces, S springs.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from components.simulation.scene import FloatArray, Kind, Thing, Vec3


@dataclass(frozen=True, kw_only=True)
class Gas:
    """What a closed membrane holds, as its volume at ambient pressure in m^3.

    `start` at frame 0, `end` after `seconds`: the flow begins and ends gently, s^2 (3 - 2 s) of the way at s of the
    time; the temperature stays the same.
    """

    start: float
    end: float
    seconds: float = 1.0

    @classmethod
    def sealed(cls, amount: float) -> "Gas":
        """A gas of which nothing comes in or leaves."""
        return cls(start=amount, end=amount)


@dataclass(frozen=True, kw_only=True)
class Air:
    """The air around: F = drag rho / 2 A |u| (u . n) n on a face, u = wind - velocity. wind: m/s.

    The wind rises from nothing within the first `rise` seconds, and its direction sways about z by `sway` degrees to
    either side, with `period` in seconds, the mean first.
    """

    drag: float
    wind: Vec3 = (0.0, 0.0, 0.0)
    sway: float = 0.0
    period: float = 1.0
    rise: float = 0.0


STILL_VACUUM = Air(drag=0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Membrane(Thing):
    """points (V,3): the vertices at frame 0, metres; rest (V,3): the unstressed shape, which textures lie on.

    faces (F,3), counter-clockwise from outside where there is one; springs (S,2) and their stiffness (S,) in N/m,
    beyond `most_strain` all that the solver resolves;
    bending: flexural rigidity in N m; pinned (V,): vertices that never move; thickness: metres at which vertices are
    kept from bodies, so that faces do not cut into round ones. `velocity` is that of every vertex that is not pinned.
    """

    kind: ClassVar[Kind] = "deformable"

    points: FloatArray
    rest: FloatArray
    faces: NDArray[np.int32]
    springs: NDArray[np.int32]
    stiffness: FloatArray
    bending: float
    pinned: NDArray[np.bool_]
    thickness: float
    most_strain: float = float("inf")
    friction: float = 0.5
    air: Air = STILL_VACUUM
    gas: Gas | None = None

    @property
    def masses(self) -> FloatArray:
        """Mass (V,) of each vertex: a third of that of the faces around it, pinned or not."""
        share = lumped_areas(self.rest, self.faces) / face_areas(self.rest, self.faces).sum()
        return np.asarray(self.mass * share, np.float64)


def face_areas(points: FloatArray, faces: NDArray[np.int32]) -> FloatArray:
    """Areas (F,) in m^2."""
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2, np.float64)


def lumped_areas(points: FloatArray, faces: NDArray[np.int32]) -> FloatArray:
    """Areas (V,): a third of the faces around each vertex."""
    areas = np.repeat(face_areas(points, faces) / 3, 3)
    return np.asarray(np.bincount(faces.ravel(), areas, minlength=len(points)), np.float64)


def enclosed_volume(points: FloatArray, faces: NDArray[np.int32]) -> float:
    """Volume in m^3 inside a closed surface: the sum of the tetrahedra from the origin to every face."""
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    return float(np.einsum("fi,fi->f", a, np.cross(b, c)).sum() / 6)


def edges_of(faces: NDArray[np.int32]) -> NDArray[np.int32]:
    """Every edge (E,2) once, its lower vertex first."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return np.unique(np.sort(sides, axis=1), axis=0).astype(np.int32)


def centre_of_mass(points: FloatArray, rest: FloatArray, faces: NDArray[np.int32]) -> Vec3:
    """Of a membrane of even mass."""
    x, y, z = np.average(points, axis=0, weights=lumped_areas(rest, faces)).tolist()
    return (x, y, z)
