"""Catch: a ball let go above a cloth that is held by its corners."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.families.starts import Above, draw_offset
from components.simulation.props.fabric import Fabric
from components.simulation.props.hangings import held_by_corners
from components.simulation.props.light_ball import LightBall
from components.simulation.props.looks import draw_colours
from components.simulation.scene import Captions, FloatArray, Thing
from components.simulation.things.sheet import THICKNESS

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

LEVEL = (0.8, 1.0)  # metres of the corners above the floor: the cloth sinks by half of it
YAW = (15.0, 35.0)  # degrees: no post stands before another
OFFSET = 0.15  # of the side at most, from above the middle
GREY = (0.15, 0.3)
PLACE = (
    "{ball} {gap:.1f} metres above {cloth} cloth that hangs between four grey posts.",
    "{cloth} cloth is fixed by its corners to four grey posts, and {gap:.1f} metres above it is {ball}.",
    "four grey posts hold {cloth} cloth by its corners; {ball} is {gap:.1f} metres over it.",
    "over {cloth} cloth, held at its four corners by posts, {ball} in the air, {gap:.1f} metres higher.",
)


@dataclass(frozen=True, kw_only=True)
class Catch(Above):
    """The cloth's corners are at `level`; the ball's lowest point begins `gap` above them, `offset` from the middle."""

    fabric: Fabric
    ball: LightBall
    size: float
    level: float
    yaw: float
    grey: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the cloth and the ball."""
        ranges = simulation.garment
        colour, other = draw_colours(rng, 2)
        size = float(rng.uniform(*ranges.size))
        return cls(
            offset=draw_offset(rng, OFFSET, (size, size)),
            fabric=Fabric.draw(rng, ranges, colour),
            ball=LightBall.draw(rng, physics, radius=ranges.ball_radius, density=ranges.ball_density, colour=other),
            size=size,
            level=float(rng.uniform(*LEVEL)),
            yaw=float(rng.uniform(*YAW)),
            gap=float(rng.uniform(*ranges.drop_height)),
            grey=float(rng.uniform(*GREY)),
        )

    def bodies(self) -> tuple[Thing, ...]:
        """Four posts, the cloth and the ball."""
        net = held_by_corners(self.fabric, size=self.size, level=self.level, yaw=self.yaw, grey=self.grey)
        height = self.level + THICKNESS + self.gap + self.ball.radius
        return (*net, self.ball.body((*self.offset, height)))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The cloth and the ball above it."""
        words = {"cloth": article(self.fabric.phrase), "ball": article(self.ball.phrase), "gap": self.gap}
        things = zip((f"{self.fabric.phrase} cloth", self.ball.phrase), self.bodies()[-2:], strict=True)
        return describe(rng, extrinsics, [PLACE], things, **words)
