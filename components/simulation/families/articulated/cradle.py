"""Newton's cradle: steel balls in a row, some of which are held aside on one end and let go."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.families.starts import HeldAside
from components.simulation.props.looks import draw_colours
from components.simulation.props.rods import row
from components.simulation.props.weights import Weight
from components.simulation.scene import Body, Captions, FloatArray, Shape

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

BALLS = (3, 6)  # of them, the upper number not included
RADII = (0.12, 0.17)  # metres: the row and the swing on both sides fit the picture
LENGTH = (0.95, 1.2)  # metres
ANGLE = (25.0, 45.0)  # degrees
GAP = 1e-3  # metres between balls: their impacts come one after the other
RESTITUTION = 0.99  # of each; those of two multiply
HEIGHT = 0.25  # metres between the floor and the balls
NUMBERS = ("no", "one", "two", "three", "four", "five")
PLACE = (
    "{number} steel balls hang in a row, and {held} of them on the {side}: {colours}, {angle:.0f} degrees up.",
    "a Newton's cradle of {number} steel balls, {colours} on the {side} held aside by {angle:.0f} degrees.",
    "{number} equal steel balls on rods, with {colours} drawn {angle:.0f} degrees to the {side}.",
)


@dataclass(frozen=True, kw_only=True)
class Cradle(HeldAside):
    """Weights from left to right; held of them are at an angle in degrees, on the left where it is negative."""

    weights: tuple[Weight, ...]
    held: int
    length: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw equal balls of different colours."""
        densities = simulation.articulated.density
        count, radius = int(rng.integers(*BALLS)), float(rng.uniform(*RADII))
        length = float(rng.uniform(*LENGTH))
        return cls(
            weights=tuple(
                Weight(shape=Shape.SPHERE, radius=radius, colour=colour, material="steel", density=densities[1])
                for colour in draw_colours(rng, count)
            ),
            held=int(rng.integers(1, count - 1)),
            angle=float(rng.uniform(*ANGLE) * rng.choice([-1.0, 1.0])),
            rate=float(rng.uniform(*physics.initial_speed)) / length,
            length=length,
        )

    def bodies(self) -> tuple[Body, ...]:
        """The stand, then every ball and its rod."""
        held = (self.angle, -float(np.copysign(self.rate, self.angle)))
        states = [held if self._is_held(number) else (0.0, 0.0) for number in range(len(self.weights))]
        height = HEIGHT + self.weights[0].radius + self.length
        return row(self.weights, height=height, gap=GAP, length=self.length, states=states, restitution=RESTITUTION)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """How many balls, and which are held aside."""
        balls = [body for body in self.bodies() if body.name.endswith("ball")]
        held = [weight.colour for number, weight in enumerate(self.weights) if self._is_held(number)]
        words = {
            "number": NUMBERS[len(balls)],
            "held": NUMBERS[len(held)],
            "colours": " and ".join(f"the {colour} one" for colour in held),
        }
        objects = [(weight.phrase, ball) for weight, ball in zip(self.weights, balls, strict=True)]
        return self.describe(rng, extrinsics, [PLACE], objects, **words)

    def _is_held(self, number: int) -> bool:
        return number < self.held if self.angle < 0 else number >= len(self.weights) - self.held
