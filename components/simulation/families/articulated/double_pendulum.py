"""Double pendulum: a second pendulum hangs on the ball of a first one, in a plane before it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe, side
from components.simulation.props.looks import draw_colours
from components.simulation.props.rods import AXLE, ROD, chain, hanging, stand
from components.simulation.props.weights import Weight
from components.simulation.rotations import vec3
from components.simulation.scene import Body, Captions, FloatArray

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

UPPER = 0.62  # of the length: the upper rod
LARGEST = 0.25  # of the length: the upper ball's radius
SECOND = (0.6, 0.8)  # of the upper ball's radius: the lower one, which passes before the upper rod
REACH = (0.8, 1.0)  # of the lower rod that just clears the axle
CLEARANCE = 0.15  # metres above the floor where everything hangs
PLACE = (
    "{first} on a rod hangs from an axle, {one:.0f} degrees to the {way} of straight down, and {second} from it.",
    "a double pendulum: {first}, {one:.0f} degrees to the {way} of the lowest point, with {second} on a second rod.",
    "{second} hangs by a rod on {first}, which a rod joins to a grey axle {one:.0f} degrees up on the {way}.",
    "two rods, one on the other: {first} on the upper one, {one:.0f} degrees to the {way}, {second} on the lower.",
)


@dataclass(frozen=True, kw_only=True)
class DoublePendulum:
    """Of both: weights, angles in degrees from hanging towards +x, rates in radians per second, lengths in metres."""

    weights: tuple[Weight, Weight]
    angles: tuple[float, float]
    rates: tuple[float, float]
    lengths: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw two balls, rods that clear the axle, and angles to either side."""
        ranges = simulation.articulated
        colours = draw_colours(rng, 2)
        length = float(rng.uniform(*ranges.length))
        first, second = (
            Weight.draw(rng, radii=ranges.radius, densities=ranges.density, colour=colour) for colour in colours
        )
        first = replace(first, radius=min(first.radius, LARGEST * length * UPPER))
        second = replace(second, radius=first.radius * float(rng.uniform(*SECOND)))
        upper = length * UPPER
        lower = (upper - second.radius - AXLE - ROD) * float(rng.uniform(*REACH))
        angles = rng.uniform(*ranges.angle, size=2) * rng.choice([-1.0, 1.0], size=2)
        speed = float(rng.uniform(*physics.initial_speed) * rng.choice([-1.0, 1.0]))
        return cls(
            weights=(first, second),
            angles=(float(angles[0]), float(angles[1])),
            rates=(speed / upper, speed / lower),
            lengths=(upper, lower),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Other angles, and as much other rates."""
        one, two, rate = rng.normal(1.0, spread, size=3).tolist()
        angles = (self.angles[0] * one, self.angles[1] * two)
        return replace(self, angles=angles, rates=(self.rates[0] * rate, self.rates[1] * rate))

    def bodies(self) -> tuple[Body, ...]:
        """Stand, upper ball and rod, lower ball and rod."""
        pivot = (0.0, 0.0, CLEARANCE + sum(self.lengths) + self.weights[1].radius)
        moving = chain(self.weights, pivot=pivot, angles=self.angles, lengths=self.lengths, rates=self.rates)
        return (*stand(pivot), *moving)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """Both balls and where the upper one is."""
        bodies, (first, second) = self.bodies(), (weight.phrase for weight in self.weights)
        way = side(extrinsics, bodies[2].position, vec3(hanging(self.angles[0]) * [1.0, 0.0, 0.0]))
        words = {"first": article(first), "second": article(second), "one": abs(self.angles[0]), "way": way}
        objects = [(first, bodies[2]), (second, bodies[4])]
        return describe(rng, extrinsics, [PLACE], objects, **words)
