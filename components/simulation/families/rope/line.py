"""Line: a slack rope between two posts, and balls tied to it that pull it out of its own curve."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.props.cord import LINKS, Cord
from components.simulation.props.curves import sagging
from components.simulation.props.looks import draw_colours
from components.simulation.props.stands import bracket
from components.simulation.props.weights import Weight
from components.simulation.scene import Body, Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

SPAN, HEIGHT = 2.8, 2.3  # metres between the rope's ends, and of them
BEHIND = 0.5  # metres from the rope back to the posts: further than any ball reaches
SLACK = (0.2, 0.3)  # of the span: how much longer the rope is
ONE = ((5, 9), (15, 19))  # links that one ball is tied to: out of reach of the arms, and not in the middle
TWO = ((4, 6), (11, 13))  # and two, uneven and out of each other's reach
PLACE = (
    "a {rope} rope sags between two posts, with {balls} tied to it.",
    "{balls} on a slack {rope} rope, whose ends two grey posts hold.",
    "two grey posts, a slack {rope} rope between them, and on it {balls}.",
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """balls on the links whose numbers are `links`; slack: of the span; mirrored: links are counted from the right."""

    cord: Cord
    balls: tuple[Weight, ...]
    links: tuple[int, ...]
    slack: float
    mirrored: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a rope, and one or two balls; they are at rest in every `physics`."""
        del physics
        ranges = simulation.rope
        count = int(rng.integers(1, 3))
        rope, *colours = draw_colours(rng, 1 + count)
        places = [ONE[int(rng.integers(2))]] if count == 1 else TWO
        return cls(
            cord=Cord.draw(rng, ranges, rope),
            balls=tuple(
                Weight.draw(rng, radii=ranges.ball_radius, densities=ranges.density, colour=colour)
                for colour in colours
            ),
            links=tuple(int(rng.integers(*place)) for place in places),
            slack=float(rng.uniform(*SLACK)),
            mirrored=bool(rng.random() < 0.5),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """A rope a little longer or shorter."""
        return replace(self, slack=self.slack * float(rng.normal(1.0, spread)))

    def bodies(self) -> tuple[Thing, ...]:
        """Posts with arms to the front, the rope and the balls under it."""
        points = sagging(np.array([-SPAN / 2, 0.0, HEIGHT]), SPAN, self.slack, LINKS)
        ends = (("left", -SPAN / 2), ("right", SPAN / 2))
        stand = [part for name, x in ends for part in bracket(name, (x, 0.0, HEIGHT), behind=BEHIND, assembly="")]
        rope = self.cord.rope(points, first="left arm", last="right arm", assembly="stand")
        links = [LINKS - 1 - number if self.mirrored else number for number in self.links]
        balls = [self.cord.tied(ball, rope, link) for ball, link in zip(self.balls, links, strict=True)]
        return (*stand, rope, *balls)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The rope and the balls."""
        phrases = [ball.phrase for ball in self.balls]
        words = {"rope": self.cord.colour, "balls": " and ".join(map(article, phrases))}
        balls = [thing for thing in self.bodies() if isinstance(thing, Body) and thing.dynamic]
        objects = zip(phrases, balls, strict=True)
        return describe(rng, extrinsics, [PLACE], objects, **words)
