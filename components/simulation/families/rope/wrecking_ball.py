"""Wrecking ball: a heavy ball on a rope, drawn aside, and a tower of boxes where it hangs."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, choose, side, write_captions
from components.simulation.props.cord import LINKS, Cord, gallows
from components.simulation.props.curves import straight
from components.simulation.props.looks import draw_colours
from components.simulation.props.rods import hanging
from components.simulation.props.weights import Weight
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Captions, FloatArray, Shape, Thing
from components.simulation.things.joints import Joint, JointKind

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
class WreckingBall:
    """angle in degrees from hanging towards +x, rate in radians per second, length of the rope in metres."""

    ball: Weight
    boxes: tuple[Weight, ...]
    cord: Cord
    length: float
    angle: float
    rate: float
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

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Another angle, and as much another rate."""
        angle, rate = rng.normal(1.0, spread, size=2).tolist()
        return replace(self, angle=self.angle * angle, rate=self.rate * rate)

    def bodies(self) -> tuple[Thing, ...]:
        """The stand, the rope, the ball and the boxes from below."""
        towards = float(np.copysign(1.0, self.angle))
        pivot = np.array([towards * OFFSET, 0.0, self.clearance + 2 * self.ball.radius + self.length])
        way, turning = hanging(self.angle), np.array([0.0, self.rate * towards, 0.0])
        reach = self.length + self.ball.radius
        rope = self.cord.rope(
            straight(pivot, pivot + self.length * way, LINKS), first="beam", assembly="stand", turning=vec3(turning)
        )
        ball = self.ball.hung(
            vec3(pivot + reach * way),
            Joint(parent=rope.name, pivot=rope.points[-1], kind=JointKind.FIXED),
            orientation=quaternion(about("y", -self.angle)),
            velocity=vec3(np.cross(turning, reach * way) + 0.0),
            angular_velocity=vec3(turning),
        )
        half = self.boxes[0].radius
        x = float(pivot[0]) - towards * (self.ball.radius + AWAY + half)
        boxes = [box.body((x, 0.0, half * (1 + 2 * level))) for level, box in enumerate(self.boxes)]
        return (*gallows(vec3(pivot), width=0.5, behind=0.9), rope, ball, *boxes)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ball, its rope and the tower."""
        moving = [body for body in self.bodies() if body.dynamic][1:]
        words = {
            "ball": article(self.ball.phrase),
            "rope": self.cord.colour,
            "angle": abs(self.angle),
            "side": side(extrinsics, (0.0, 0.0, 1.0), (self.angle, 0.0, 0.0)),
            "boxes": COUNTS[len(self.boxes)],
        }
        phrases = [self.ball.phrase, *(box.phrase for box in self.boxes)]
        colours = "The tower from below: " + ", ".join(box.phrase for box in self.boxes) + "."
        sentences = [choose(rng, PLACE).format(**words), colours]
        objects = list(zip(phrases, moving, strict=True))
        return write_captions(rng, extrinsics=extrinsics, sentences=sentences, objects=objects)
