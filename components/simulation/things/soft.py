"""Soft solids of an elastic material, and what posts guide up and down.

Legend: V vertices, M cells.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from components.simulation.scene import Body, FloatArray, Kind, Texture, Thing, Vec3
from components.simulation.things.tetrahedra import Solid, volumes


@dataclass(frozen=True, kw_only=True)
class Elastic:
    """density in kg/m^3, Young's modulus in Pa, Poisson's ratio.

    damping: seconds, the viscosity over the shear modulus; a shear wave of f Hz loses 2 pi^2 f damping of its amplitude
    in a cycle.
    """

    density: float
    young: float
    poisson: float
    damping: float
    friction: float

    @property
    def shear(self) -> float:
        """Shear modulus in Pa."""
        return self.young / (2 * (1 + self.poisson))

    @property
    def lame(self) -> float:
        """Lame's first parameter in Pa."""
        return self.young * self.poisson / ((1 + self.poisson) * (1 - 2 * self.poisson))

    @property
    def sound(self) -> float:
        """Speed of pressure waves in m/s."""
        return float(np.sqrt((self.lame + 2 * self.shear) / self.density))


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftBody(Thing):
    """A solid of an elastic material, unstressed in the shape `solid`, in whose coordinates textures lie.

    points (V,3): its vertices at frame 0; thickness: metres at which they are kept from bodies, so that faces do not
    cut into round ones. `velocity` is that of every vertex.
    """

    kind: ClassVar[Kind] = "deformable"

    solid: Solid
    elastic: Elastic
    points: FloatArray
    thickness: float

    @property
    def masses(self) -> FloatArray:
        """Mass (V,) of each vertex: a quarter of that of the cells around it."""
        return lumped(self.solid, self.elastic.density)


def soft_body(
    *,
    name: str,
    texture: Texture,
    solid: Solid,
    elastic: Elastic,
    points: FloatArray,
    material: str,
    thickness: float = 0.003,
    velocity: Vec3 = (0.0, 0.0, 0.0),
) -> SoftBody:
    """A soft body whose vertices (V,3) are placed in the world."""
    masses = lumped(solid, elastic.density)
    x, y, z = (masses @ points / masses.sum()).tolist()
    return SoftBody(
        name=name,
        texture=texture,
        position=(x, y, z),
        velocity=velocity,
        mass=float(masses.sum()),
        material=material,
        solid=solid,
        elastic=elastic,
        points=points,
        thickness=thickness,
    )


def lumped(solid: Solid, density: float) -> FloatArray:
    """Masses (V,) in kg."""
    quarter = np.repeat(density * volumes(solid.vertices, solid.cells) / 4, 4)
    return np.asarray(np.bincount(solid.cells.ravel(), quarter, minlength=len(solid.vertices)), np.float64)


@dataclass(frozen=True, kw_only=True)
class Guided(Body):
    """A rigid body that posts guide: it moves up and down, without friction, and does not turn."""
