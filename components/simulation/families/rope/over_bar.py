"""Over a bar: a rope hangs over a round bar, more of it on one side."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import describe, side
from components.simulation.props.cord import Cord
from components.simulation.props.curves import over
from components.simulation.props.looks import draw_colours
from components.simulation.props.stands import POST, post, static
from components.simulation.scene import Captions, FloatArray, Shape, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

LINKS = 28
LONGER = 1.35  # the rope over the lengths of the others
BAR = (0.16, 0.24)  # metres: radius
HEIGHT = (1.85, 2.05)  # metres: the bar's middle
EXCESS = (0.3, 0.55)  # metres by which the longer side is longer at least, and of the rope's half at most
SMOOTH = 0.25  # of the range of friction: smooth enough for the longer side to win
STAND, FRONT = 0.4, 0.3  # metres from the rope back to the post, and forward to the end of the bar
PLACE = (
    "a {rope} rope of {length:.1f} metres lies over a round bar, {more:.1f} metres more of it on the {side}.",
    "over a grey bar hangs a {rope} rope, whose {side} end is {more:.1f} metres lower than the other.",
    "a {rope} rope, {length:.1f} metres long, hangs over a smooth bar with {more:.1f} metres more on the {side}.",
)


@dataclass(frozen=True, kw_only=True)
class OverBar:
    """Lengths in metres; excess: how much more of the rope is on the side of +x (negative: of -x)."""

    cord: Cord
    length: float
    excess: float
    bar: float
    height: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a rope and a bar; it is at rest in every `physics`."""
        del physics
        ranges = simulation.rope
        (colour,) = draw_colours(rng, 1)
        cord = Cord.draw(rng, ranges, colour)
        length = LONGER * float(rng.uniform(*ranges.length))
        return cls(
            cord=replace(cord, friction=cord.friction * SMOOTH),
            length=length,
            excess=float(rng.uniform(*EXCESS) * length * rng.choice([-1.0, 1.0])),
            bar=float(rng.uniform(*BAR)),
            height=float(rng.uniform(*HEIGHT)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """A little more or less on the longer side."""
        return replace(self, excess=self.excess * float(rng.normal(1.0, spread)))

    def bodies(self) -> tuple[Thing, ...]:
        """The bar on its post, and the rope."""
        middle, size = (0.0, (STAND - FRONT) / 2, self.height), (self.bar, STAND + FRONT, 0.0)
        bar = static("bar", Shape.CYLINDER, size, middle, along="y", assembly="")
        held = post("post", 0.0, STAND + POST, self.height)
        top, rope = np.array([0.0, 0.0, self.height]), self.cord.radius
        points = over(top, bar=self.bar, rope=rope, length=self.length, excess=self.excess, links=LINKS)
        return (bar, held, self.cord.rope(points))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The rope and its longer side."""
        longer = side(extrinsics, (0.0, 0.0, 1.0), (self.excess, 0.0, 0.0))
        words = {"rope": self.cord.colour, "length": self.length, "more": abs(self.excess), "side": longer}
        objects = [(f"{self.cord.colour} rope", self.bodies()[-1])]
        return describe(rng, extrinsics, [PLACE], objects, **words)
