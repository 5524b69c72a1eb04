"""Pendulum: a ball on a rod, held aside from where it hangs and let go."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe, side
from components.simulation.families.starts import HeldAside
from components.simulation.props.looks import draw_colours
from components.simulation.props.rods import hanging, rod_with_weight, stand
from components.simulation.props.weights import Weight
from components.simulation.rotations import vec3
from components.simulation.scene import Body, Captions, FloatArray

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

CLEARANCE = (0.1, 0.3)  # metres between the floor and the ball where it hangs
OFFSET = (-0.3, 0.3)  # metres along x from the middle
PLACE = (
    "{thing} on a rod hangs from an axle, {angle:.0f} degrees to the {side} of straight down.",
    "a pendulum: {thing} on a rod of {length:.1f} metres, held {angle:.0f} degrees to the {side}.",
    "a rod leads from an axle on a grey post to {thing} on the {side}, {angle:.0f} degrees from straight down.",
    "{thing} at the end of a rod is {angle:.0f} degrees to the {side} of the lowest point of a pendulum.",
)


@dataclass(frozen=True, kw_only=True)
class Pendulum(HeldAside):
    """angle: degrees from hanging towards +x; rate: radians per second; length from hinge to centre, in metres."""

    weight: Weight
    length: float
    clearance: float
    offset: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a ball, a rod and an angle."""
        ranges = simulation.articulated
        (colour,) = draw_colours(rng, 1)
        length = float(rng.uniform(*ranges.length))
        return cls(
            weight=Weight.draw(rng, radii=ranges.radius, densities=ranges.density, colour=colour),
            angle=float(rng.uniform(*ranges.angle) * rng.choice([-1.0, 1.0])),
            rate=float(rng.uniform(*physics.initial_speed) * rng.choice([-1.0, 1.0])) / length,
            length=length,
            clearance=float(rng.uniform(*CLEARANCE)),
            offset=float(rng.uniform(*OFFSET)),
        )

    def bodies(self) -> tuple[Body, ...]:
        """Stand, ball and rod."""
        pivot = (self.offset, 0.0, self.clearance + self.weight.radius + self.length)
        moving = rod_with_weight(
            self.weight, pivot=pivot, angle=self.angle, length=self.length, rate=self.rate, parent="axle"
        )
        return (*stand(pivot), *moving)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ball, its rod and where they are."""
        ball = self.bodies()[2]
        way = side(extrinsics, ball.position, vec3(hanging(self.angle) * [1.0, 0.0, 0.0]))
        words = {"thing": article(self.weight.phrase), "angle": abs(self.angle), "side": way, "length": self.length}
        return describe(rng, extrinsics, [PLACE], [(self.weight.phrase, ball)], **words)
