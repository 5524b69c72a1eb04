"""Ramp: a ball or cylinder on a rough ramp, or a box on a polished one, let go above the foot."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.families.starts import OnSlope
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import RigidObject, draw_object, draw_size
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, Captions, FloatArray, Shape

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

ROUGH, POLISHED = 1.0, 0.15  # friction, which multiplies with the object's: a box of any material slides
YAW = (-20.0, 20.0)  # degrees around straight across the front view: most of the way is seen from the side
DISTANCE = (1.4, 2.3)  # metres up the slope: room to gather speed below, and the ramp's end above
OFFSET = (-0.1, 0.1)  # metres across the slope, far from its edges
GREY = (0.15, 0.25)  # linear reflectance, darker than the floor's first grey
PLACE = (
    "{thing} on a {ramp} that slopes down to the {side} at {angle:.0f} degrees.",
    "a {ramp} slopes down to the {side} at {angle:.0f} degrees, and {thing} is on it.",
    "on a {ramp}, {angle:.0f} degrees steep and lower on the {side}, there is {thing}.",
    "{thing} and a {ramp} of {angle:.0f} degrees under it, its foot on the {side}.",
)


@dataclass(frozen=True, kw_only=True)
class Ramp(OnSlope):
    """Slope as in `Incline`; distance up the slope from the foot, offset across it, in metres."""

    thing: RigidObject
    offset: float
    grey: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the ramp, the object and its place on it."""
        ranges = simulation.rigid
        shape = Shape(rng.choice([Shape.SPHERE, Shape.SPHERE, Shape.CYLINDER, Shape.BOX]))
        (colour,) = draw_colours(rng, 1)
        return cls(
            thing=draw_object(rng, ranges, physics, shape=shape, size=draw_size(rng, ranges, shape), colour=colour),
            angle=float(rng.uniform(*ranges.ramp_angle)),
            yaw=float(rng.choice([0.0, 180.0]) + rng.uniform(*YAW)),
            distance=float(rng.uniform(*DISTANCE)),
            offset=float(rng.uniform(*OFFSET)),
            grey=float(rng.uniform(*GREY)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The object a little further up, down or aside, still on the surface."""
        along, across = rng.normal(1.0, spread, size=2).tolist()
        return replace(self, distance=self.distance * along, offset=self.offset * across)

    def bodies(self) -> tuple[Body, ...]:
        """The ramp and the object on its upper surface."""
        lying = about("x", 90.0 if self.thing.shape is Shape.CYLINDER else 0.0)
        height = self.thing.depth(quaternion(lying))
        place = self.slope.place(distance=self.distance, offset=self.offset, height=height)
        thing = self.thing.body(position=vec3(place), orientation=quaternion(self.slope.rotation * lying))
        return (self.slope.body(grey=self.grey, friction=self._friction), thing)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ramp, its slope and what is on it."""
        phrase = self.thing.phrase
        lower = self.slope.lower_side(extrinsics)
        ramp = "rough ramp" if self._friction == ROUGH else "polished ramp"
        words = {"thing": article(phrase), "ramp": ramp, "side": lower, "angle": self.angle}
        return describe(rng, extrinsics, [PLACE], [(phrase, self.bodies()[-1])], **words)

    @property
    def _friction(self) -> float:
        return POLISHED if self.thing.shape is Shape.BOX else ROUGH
