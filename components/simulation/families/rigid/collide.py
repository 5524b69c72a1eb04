"""Collide: a ball on a ramp, and another on the floor ahead of it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe, side
from components.simulation.props.descent import BALL, Descent
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import RigidObject, draw_object
from components.simulation.scene import Body, Captions, FloatArray, Shape

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

AHEAD = (0.25, 0.6)  # metres between the foot of the ramp and the second ball
ASIDE = 0.7  # of the sum of the radii at most: from full to glancing hits
PLACE = (
    "{thing} on a ramp of {angle:.0f} degrees, lower on the {side}, and on the floor ahead of it {other}.",
    "a ramp slopes down to the {side} at {angle:.0f} degrees; {thing} is on it, {other} lies on the floor below.",
    "on the floor {other}, and on a ramp that slopes down towards it, to the {side}, {thing}.",
    "two balls: {thing} on a ramp of {angle:.0f} degrees, and {other} on the floor to the {side} of its foot.",
)


@dataclass(frozen=True, kw_only=True)
class Collide:
    """The target's nearest point is `ahead` of the foot, its centre `aside` of the way, in metres."""

    descent: Descent
    target: RigidObject
    ahead: float
    aside: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw both balls and their places."""
        ranges = simulation.rigid
        colour, other = draw_colours(rng, 2)
        descent = Descent.draw(rng, simulation, physics, colour)
        size = (float(rng.uniform(*ranges.radius) * rng.uniform(*BALL)), 0.0, 0.0)
        return cls(
            descent=descent,
            target=draw_object(rng, ranges, physics, shape=Shape.SPHERE, size=size, colour=other),
            ahead=float(rng.uniform(*AHEAD)),
            aside=float(rng.uniform(-ASIDE, ASIDE)) * (descent.ball.size[0] + size[0]),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The first ball a little further up or down, the second a little nearer or further, and aside."""
        up, ahead, aside = rng.normal(1.0, spread, size=3).tolist()
        ahead = self.ahead * max(ahead, 0.5)
        return replace(self, descent=self.descent.scaled(up), ahead=ahead, aside=self.aside * aside)

    def bodies(self) -> tuple[Body, ...]:
        """The ramp, the ball on it and the ball on the floor."""
        radius = self.target.size[0]
        place = self.descent.ahead(self.ahead + radius, self.aside, radius)
        return (*self.descent.bodies(), self.target.body(position=place))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """Both balls and the ramp."""
        phrase, other, (_, ball, target) = self.descent.ball.phrase, self.target.phrase, self.bodies()
        lower = side(extrinsics, self.descent.foot, self.descent.downhill)
        words = {"thing": article(phrase), "other": article(other), "side": lower, "angle": self.descent.angle}
        objects = [(phrase, ball), (other, target)]
        return describe(rng, extrinsics, [PLACE], objects, **words)
