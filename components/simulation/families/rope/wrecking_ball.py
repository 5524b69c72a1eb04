"""Wrecking ball: a heavy ball on a rope, drawn aside, and a tower of boxes where it hangs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article
from components.simulation.families.starts import HeldAside
from components.simulation.props.cord import Cord, gallows
from components.simulation.props.looks import draw_colours
from components.simulation.props.weights import Weight
from components.simulation.rotations import vec3
from components.simulation.scene import Captions, FloatArray, Shape, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

LIGHTER = 0.2  # of the ball's range of densities: that of the boxes
HALF = (0.14, 0.19)  # metres: half the side of a box
AWAY = 0.1  # metres between the tower and the ball where it hangs
CLEARANCE = (0.1, 0.25)  # metres between floor and hanging ball
OFFSET = 0.3  # metres from the middle towards the ball's side: boxes fly to the other
COUNTS = ("", "one box", "two boxes", "three boxes", "four boxes")
PLACE = (
    "{ball} on a {rope} rope, drawn {angle:.0f} degrees to the {side}, and a tower of {boxes} under the beam.",
    "a {rope} rope holds {ball}, {angle:.0f} degrees to the {side} of where it would hang beside {boxes}.",
    "{boxes} under a grey beam, from which {ball} hangs by a {rope} rope, {angle:.0f} degrees up on the {side}.",
)


@dataclass(frozen=True, kw_only=True)
class WreckingBall(HeldAside):
    """angle in degrees from hanging towards +x, rate in radians per second, length of the rope in metres."""

    ball: Weight
    boxes: tuple[Weight, ...]
    cord: Cord
    length: float
    clearance: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a ball, its rope and a tower."""
        ranges = simulation.rope
        count = int(rng.integers(ranges.boxes[0], ranges.boxes[1] + 1))
        rope, ball, *colours = draw_colours(rng, 2 + count)
        light, half = (ranges.density[0] * LIGHTER, ranges.density[1] * LIGHTER), float(rng.uniform(*HALF))
        length = float(rng.uniform(*ranges.length))
        return cls(
            ball=Weight.draw(rng, radii=ranges.ball_radius, densities=ranges.density, colour=ball),
            boxes=tuple(
                Weight.draw(rng, radii=(half, half), densities=light, colour=colour, shape=Shape.BOX)
                for colour in colours
            ),
            cord=Cord.draw(rng, ranges, rope),
            length=length,
            angle=float(rng.uniform(*ranges.angle) * rng.choice([-1.0, 1.0])),
            rate=float(rng.uniform(*physics.initial_speed)) / length,
            clearance=float(rng.uniform(*CLEARANCE)),
        )

    def bodies(self) -> tuple[Thing, ...]:
        """The stand, the rope, the ball and the boxes from below."""
        towards = float(np.copysign(1.0, self.angle))
        pivot = np.array([towards * OFFSET, 0.0, self.clearance + 2 * self.ball.radius + self.length])
        turning = np.array([0.0, self.rate * towards, 0.0])
        hung = self.cord.with_weight(self.ball, pivot, angle=self.angle, length=self.length, turning=turning)
        half = self.boxes[0].radius
        x = float(pivot[0]) - towards * (self.ball.radius + AWAY + half)
        boxes = [box.body((x, 0.0, half * (1 + 2 * level))) for level, box in enumerate(self.boxes)]
        return (*gallows(vec3(pivot), width=0.5, behind=0.9), *hung, *boxes)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ball, its rope and the tower."""
        moving = [body for body in self.bodies() if body.dynamic][1:]
        words = {"ball": article(self.ball.phrase), "rope": self.cord.colour, "boxes": COUNTS[len(self.boxes)]}
        phrases = [self.ball.phrase, *(box.phrase for box in self.boxes)]
        tower = "the tower from below: " + ", ".join(box.phrase for box in self.boxes) + "."
        return self.describe(rng, extrinsics, [PLACE, [tower]], zip(phrases, moving, strict=True), **words)
