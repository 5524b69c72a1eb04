"""Bounce: a soft ball let go above a ramp, on which it bounces and rolls on."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.families.starts import OnSlope
from components.simulation.props.blobs import CLEARANCE, Blob
from components.simulation.props.looks import draw_colours
from components.simulation.scene import Captions, FloatArray, Shape, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

YAW = (-15.0, 15.0)  # degrees around straight across the front view
DISTANCE = (1.5, 2.2)  # metres up the slope from the foot to the ball: all of the way is in the picture
OFFSET = (-0.1, 0.1)  # metres across the slope
GREY = (0.15, 0.25)  # linear reflectance of the ramp
PLACE = (
    "{thing} {height:.1f} metres above a ramp that slopes down to the {side} at {angle:.0f} degrees.",
    "a ramp of {angle:.0f} degrees, lower on the {side}, and {height:.1f} metres over it {thing}.",
    "in the air, {height:.1f} metres from a ramp under it, {thing}; the ramp slopes down to the {side}.",
    "over a ramp, {angle:.0f} degrees steep and lower on the {side}, there is {thing}, {height:.1f} metres up.",
)


@dataclass(frozen=True, kw_only=True)
class Bounce(OnSlope):
    """Slope as in `Incline`; `height` of the ball above it; distance up the slope, offset across it; metres."""

    blob: Blob
    offset: float
    height: float
    grey: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the ball, the ramp and the place above it."""
        ranges = simulation.deformable
        (colour,) = draw_colours(rng, 1)
        return cls(
            blob=Blob.draw(rng, ranges, physics, shape=Shape.SPHERE, colour=colour),
            angle=float(rng.uniform(*ranges.ramp_angle)),
            yaw=float(rng.choice([0.0, 180.0]) + rng.uniform(*YAW)),
            distance=float(rng.uniform(*DISTANCE)),
            offset=float(rng.uniform(*OFFSET)),
            height=float(rng.uniform(*ranges.drop_height)),
            grey=float(rng.uniform(*GREY)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The ball a little higher or lower, and up, down or aside."""
        along, across, up = rng.normal(1.0, spread, size=3).tolist()
        moved = {"distance": self.distance * along, "offset": self.offset * across}
        return replace(self, height=self.height * max(up, 0.5), **moved)

    def bodies(self) -> tuple[Thing, ...]:
        """The ramp and the ball above it."""
        up = self.blob.size[0] + CLEARANCE + self.height
        middle = self.slope.place(distance=self.distance, offset=self.offset, height=0.0)
        middle[2] += up / np.cos(np.radians(self.angle))
        return (self.slope.body(grey=self.grey, friction=1.0), self.blob.body(middle))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ramp and the ball above it."""
        phrase = self.blob.phrase
        lower = self.slope.lower_side(extrinsics)
        words = {"thing": article(phrase), "side": lower, "angle": self.angle, "height": self.height}
        return describe(rng, extrinsics, [PLACE], [(phrase, self.bodies()[-1])], **words)
