"""Ropes without their place: how thick, how heavy and of what colour."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.props.curves import straight
from components.simulation.props.looks import coloured
from components.simulation.props.rods import hanging
from components.simulation.props.stands import bracket, post, static
from components.simulation.props.weights import Weight
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, FloatArray, Pattern, Shape, Vec3
from components.simulation.things.joints import Joint, JointedBody, JointKind
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

    def with_weight(
        self, weight: Weight, pivot: FloatArray, *, angle: float, length: float, turning: FloatArray
    ) -> tuple[Rope, JointedBody]:
        """The rope drawn straight from a beam, `angle` degrees from hanging, and a weight that is fixed to its end."""
        way, reach = hanging(angle), length + weight.radius
        line = straight(pivot, pivot + length * way, LINKS)
        rope = self.rope(line, first="beam", assembly="stand", turning=vec3(turning))
        ball = weight.hung(
            vec3(pivot + reach * way),
            Joint(parent=rope.name, pivot=rope.points[-1], kind=JointKind.FIXED),
            orientation=quaternion(about("y", -angle)),
            velocity=vec3(np.cross(turning, reach * way) + 0.0),
            angular_velocity=vec3(turning),
        )
        return rope, ball

    def tied(self, weight: Weight, rope: Rope, link: int) -> JointedBody:
        """A weight under the middle of one of the links of a rope of this cord."""
        middle = rope.middles[link]
        below = vec3(middle - [0.0, 0.0, weight.radius + self.radius])
        joint = Joint(parent=rope.name, pivot=vec3(middle), kind=JointKind.BALL)
        return weight.hung(below, joint, assembly="stand")


def gallows(pivot: Vec3, *, width: float, behind: float) -> tuple[Body, ...]:
    """Two posts `behind` the plane of motion with arms to the front, and a beam under which the pivot is."""
    x, y, z = pivot
    height = z + BEAM
    beam = static("beam", Shape.BOX, (width, BEAM, BEAM), (x, y, height))
    sides = (("left", x - width), ("right", x + width))
    return (beam, *(part for name, end in sides for part in bracket(name, (end, y, height), behind=behind)))


def trestle(height: float, *, behind: float) -> tuple[Body, ...]:
    """A beam along the front view at a height, and a post at either of its ends, `behind` the middle or before it."""
    beam = static("beam", Shape.BOX, (BEAM, behind, BEAM), (0.0, 0.0, height + BEAM))
    sides = (("front", -behind), ("back", behind))
    return (beam, *(post(f"{name} post", 0.0, y, height + 2 * BEAM, assembly="") for name, y in sides))
