"""Topple: a column on one of its edges, leaning short of or beyond its point of balance."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe, side
from components.simulation.props.balance import draw_lean
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import RigidObject, draw_object
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, Captions, FloatArray, Shape

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

WIDTH = 1.2  # of a column, over the radius of a ball: with its slenderness it is one to two balls high
DEPTH = (0.9, 1.3)  # of a column along its edge, over its width: near square
YAW = (-30.0, 30.0)  # degrees around straight across the front view, in which the tilt is seen
PIVOT = ((0.2, 0.8), (-0.3, 0.3))  # metres against the lean from the middle, so that it falls into the picture; along y
PLACE = (
    "a tall {thing} on one edge, leaning {tilt:.0f} degrees to the {side}.",
    "on a grey floor, a tall {thing} leans to the {side} by {tilt:.0f} degrees.",
    "a column, {article}, is tilted to the {side}, {tilt:.0f} degrees from upright.",
    "tilted {tilt:.0f} degrees to the {side}, a tall {thing} touches a grey floor with one edge.",
)


@dataclass(frozen=True, kw_only=True)
class Topple:
    """lean: degrees beyond balance; yaw: where it leans, degrees from +x; pivot: middle of the edge on the floor."""

    thing: RigidObject
    lean: float
    yaw: float
    pivot: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a column and how it leans."""
        ranges = simulation.rigid
        half = float(rng.uniform(*ranges.radius)) * WIDTH / 2
        size = (half, half * float(rng.uniform(*DEPTH)), half * float(rng.uniform(*ranges.slenderness)))
        (colour,) = draw_colours(rng, 1)
        right = bool(rng.random() < 0.5)
        return cls(
            thing=draw_object(rng, ranges, physics, shape=Shape.BOX, size=size, colour=colour),
            lean=draw_lean(rng, ranges.lean),
            yaw=(0.0 if right else 180.0) + float(rng.uniform(*YAW)),
            pivot=(float(rng.uniform(*PIVOT[0])) * (-1.0 if right else 1.0), float(rng.uniform(*PIVOT[1]))),
        )

    @property
    def tilt(self) -> float:
        """Degrees from upright; at atan(width / height) the centre of mass stands above the edge."""
        return float(np.degrees(np.arctan2(self.thing.size[0], self.thing.size[2]))) + self.lean

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Another tilt on the same side of balance, and another place."""
        x, y, turn = rng.normal(1.0, spread, size=3).tolist()
        towards = np.copysign(1.0, self.lean)
        lean = towards * max(towards * (self.lean + self.tilt * (turn - 1)), abs(self.lean) / 2)
        return replace(self, lean=float(lean), pivot=(self.pivot[0] * x, self.pivot[1] * y))

    def bodies(self) -> tuple[Body, ...]:
        """The column, its lower edge on the floor."""
        rotation = about("z", self.yaw) * about("y", self.tilt)
        edge = rotation.apply([self.thing.size[0], 0.0, -self.thing.size[2]])
        position = vec3(np.array([*self.pivot, 0.0]) - edge)
        return (self.thing.body(position=position, orientation=quaternion(rotation)),)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The column and its tilt."""
        (body,), phrase = self.bodies(), self.thing.phrase
        axis = vec3((about("z", self.yaw) * about("y", self.tilt)).as_matrix()[:, 2])
        leant = side(extrinsics, body.position, axis)
        words = {"thing": phrase, "article": article(phrase), "tilt": self.tilt, "side": leant}
        return describe(rng, extrinsics, [PLACE], [(phrase, body)], **words)
