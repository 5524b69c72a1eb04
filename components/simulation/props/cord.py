"""Ropes without their place: how thick, how heavy and of what colour."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.props.looks import coloured
from components.simulation.props.stands import POST, post, static
from components.simulation.rotations import vec3
from components.simulation.scene import Body, FloatArray, Pattern, Shape, Vec3
from components.simulation.things.rope import Rope

if TYPE_CHECKING:
    from components.parameters.categories.rope import Ropes

LINKS = 24
STRAND = 0.16  # metres: the pattern's period
BEAM = 0.06  # metres: half the width of a beam


@dataclass(frozen=True, kw_only=True)
class Cord:
    """radius in metres, mass in kg per metre."""

    colour: str
    radius: float
    mass_per_metre: float
    friction: float

    @classmethod
    def draw(cls, rng: np.random.Generator, ranges: "Ropes", colour: str) -> Self:
        """Draw from the ranges."""
        return cls(
            colour=colour,
            radius=float(rng.uniform(*ranges.radius)),
            mass_per_metre=float(rng.uniform(*ranges.mass_per_metre)),
            friction=float(rng.uniform(*ranges.friction)),
        )

    def rope(
        self,
        points: FloatArray,
        *,
        name: str = "rope",
        first: str = "",
        last: str = "",
        assembly: str = "",
        turning: Vec3 = (0.0, 0.0, 0.0),
    ) -> Rope:
        """The rope through points (L+1,3), the ends of links of one length, turning about the first at frame 0."""
        length = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
        centre = (points[1:] + points[:-1]).mean(axis=0) / 2
        return Rope(
            name=f"{self.colour} {name}",
            texture=coloured(self.colour, Pattern.STRIPES, scale=STRAND),
            points=tuple(vec3(point) for point in points),
            radius=self.radius,
            position=vec3(centre),
            velocity=vec3(np.cross(turning, centre - points[0]) + 0.0),
            angular_velocity=turning,
            mass=self.mass_per_metre * length,
            material="hemp",
            friction=self.friction,
            first=first,
            last=last,
            assembly=assembly,
        )


def gallows(pivot: Vec3, *, width: float, behind: float) -> tuple[Body, ...]:
    """Two posts `behind` the plane of motion with arms to the front, and a beam under which the pivot is."""
    x, y, z = pivot
    height = z + BEAM
    parts = [static("beam", Shape.BOX, (width, BEAM, BEAM), (x, y, height))]
    for name, end in (("left", x - width), ("right", x + width)):
        parts.append(
            static(f"{name} arm", Shape.CYLINDER, (POST, behind, 0.0), (end, y + behind / 2, height), along="y")
        )
        parts.append(post(f"{name} post", end, y + behind, height + POST))
    return tuple(parts)
