"""Turntable: a disc that turns, with boxes on it that friction carries along, or does not."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.props.disc import HEIGHT, THICKNESS, disc_on_pedestal
from components.simulation.props.looks import draw_colours
from components.simulation.props.weights import Weight
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, Captions, FloatArray, Shape

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

LARGEST = 0.2  # metres: half the side of a box, three of which fit in a circle
DISTANCE = (0.45, 0.95)  # metres from the axis
SPREAD = 15.0  # degrees to either side of an even spacing
FRICTION = (0.25, 0.9)
PLACE = (
    "a {disc} turntable turns {way} at {rate:.0f} degrees per second and carries {things}.",
    "{things} on a {disc} disc that turns {way}, seen from above, at {rate:.0f} degrees per second.",
    "on a {disc} turntable, which does {rate:.0f} degrees per second {way}, there is {things}.",
)


@dataclass(frozen=True, kw_only=True)
class Turntable:
    """Boxes at distances from the axis and at angles in degrees from +x; spin in degrees per second about +z."""

    weights: tuple[Weight, ...]
    distances: tuple[float, ...]
    angles: tuple[float, ...]
    friction: float
    spin: float
    colour: str

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the disc's spin and one to three boxes; `physics` has no part in it."""
        del physics
        ranges, count = simulation.articulated, int(rng.integers(1, 4))
        colour, *colours = draw_colours(rng, count + 1)
        radii = (min(ranges.radius[0], LARGEST), min(ranges.radius[1], LARGEST))
        return cls(
            weights=tuple(
                Weight.draw(rng, radii=radii, densities=ranges.density, colour=name, shape=Shape.BOX)
                for name in colours
            ),
            distances=tuple(rng.uniform(*DISTANCE, size=count).tolist()),
            angles=tuple((np.arange(count) * 360 / count + rng.uniform(-SPREAD, SPREAD, size=count)).tolist()),
            friction=float(rng.uniform(*FRICTION)),
            spin=float(rng.uniform(*ranges.spin) * rng.choice([-1.0, 1.0])),
            colour=colour,
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Another spin, and boxes a little further out or in."""
        spin, *shares = rng.normal(1.0, spread, size=1 + len(self.weights)).tolist()
        distances = tuple(distance * share for distance, share in zip(self.distances, shares, strict=True))
        return replace(self, spin=self.spin * spin, distances=distances)

    def bodies(self) -> tuple[Body, ...]:
        """Pedestal, disc and boxes, which turn with it."""
        middle, turning = np.array([0.0, 0.0, HEIGHT]), np.array([0.0, 0.0, np.radians(self.spin)])
        boxes = []
        for weight, distance, angle in zip(self.weights, self.distances, self.angles, strict=True):
            turn = about("z", angle)
            offset = turn.apply([distance, 0.0, THICKNESS / 2 + weight.radius])
            boxes.append(weight.carried(middle, offset, turning, orientation=quaternion(turn), friction=self.friction))
        return (*disc_on_pedestal(self.colour, vec3(turning)), *boxes)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The disc's spin and what is on it."""
        phrases = [weight.phrase for weight in self.weights]
        words = {"disc": self.colour, "rate": abs(self.spin), "things": " and ".join(map(article, phrases))}
        way = "counter-clockwise" if self.spin > 0 else "clockwise"
        return describe(rng, extrinsics, [PLACE], zip(phrases, self.bodies()[2:], strict=True), **words, way=way)
