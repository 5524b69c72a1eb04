"""Cushions of foam: blocks that are thinner towards their edges."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from components.simulation.props.looks import coloured
from components.simulation.rotations import about
from components.simulation.scene import Pattern, Vec3
from components.simulation.things.soft import Elastic, SoftBody, soft_body
from components.simulation.things.tetrahedra import Solid, box

if TYPE_CHECKING:
    from components.parameters.categories.deformable import Deformable

WIDE, DEEP, HIGH = (0.6, 0.8), (0.45, 0.55), (0.15, 0.2)  # metres, half extents
YAW = (-30.0, 30.0)
CELLS = (12, 8, 3)
THINNER = 0.4  # of the height is missing at the middle of an edge
DENSITY, POISSON, FRICTION = 90.0, 0.25, 0.8  # kg/m^3, -, -
VISCOSITY = 80.0  # Pa s: foam comes back slowly, the softer the more so
CLEARANCE = 0.006  # metres kept from balls, into which faces would cut
PATTERNS = {"foam": Pattern.NOISE, "chequered foam": Pattern.CHECKER, "striped foam": Pattern.STRIPES}


@dataclass(frozen=True, kw_only=True)
class Cushion:
    """half_extents in metres, young in Pa, yaw in degrees."""

    half_extents: Vec3
    young: float
    colour: str
    cover: str
    yaw: float

    @classmethod
    def draw(cls, rng: np.random.Generator, ranges: "Deformable", colour: str) -> "Cushion":
        """Draw size, stiffness and cover."""
        wide, deep, high = (float(rng.uniform(*extent)) for extent in (WIDE, DEEP, HIGH))
        return cls(
            half_extents=(wide, deep, high),
            young=float(rng.uniform(*ranges.foam)),
            colour=colour,
            cover=str(rng.choice(list(PATTERNS))),
            yaw=float(rng.uniform(*YAW)),
        )

    @property
    def phrase(self) -> str:
        """Colour and material."""
        return f"{self.colour} {self.cover}"

    @property
    def solid(self) -> Solid:
        """Its cells, the lower side flat."""
        block = box(self.half_extents, CELLS)
        x, y, z = (block.vertices / self.half_extents).T
        upright = (z + 1) * (1 - THINNER * np.maximum(x**4, y**4)) - 1
        return replace(block, vertices=np.stack([x, y, upright], axis=1) * self.half_extents)

    def body(self, x: float) -> SoftBody:
        """The cushion on the floor, its middle at x in the plane y = 0."""
        solid = self.solid
        lying = about("z", self.yaw).apply(solid.vertices) + np.array([x, 0.0, self.half_extents[2] + CLEARANCE])
        return soft_body(
            name=f"{self.colour} cushion",
            texture=coloured(self.colour, PATTERNS[self.cover], scale=0.3),
            solid=solid,
            elastic=Elastic(
                density=DENSITY,
                young=self.young,
                poisson=POISSON,
                damping=VISCOSITY * 2 * (1 + POISSON) / self.young,
                friction=FRICTION,
            ),
            points=np.asarray(lying, np.float64),
            material="foam",
            thickness=CLEARANCE,
        )
