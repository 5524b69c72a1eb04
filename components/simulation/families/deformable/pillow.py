"""Pillow: a rigid ball let go above a foam cushion."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.families.starts import Above, draw_offset
from components.simulation.props.foam import Cushion
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import draw_velocity
from components.simulation.props.weights import Weight
from components.simulation.rotations import about
from components.simulation.scene import Captions, FloatArray, Thing, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation


REACH = 0.6  # metres from the middle to the cushion's, across the front view
OFFSET = 0.45  # of the half extents at most, from above the middle to the ball
PLACE = (
    "{ball} {gap:.1f} metres above {cushion} cushion on a grey floor.",
    "{cushion} cushion lies on a grey floor, and {gap:.1f} metres over it is {ball}.",
    "over a soft cushion, {phrase}, {gap:.1f} metres higher, {ball}.",
    "on a grey floor {cushion} cushion; in the air, {gap:.1f} metres above it, {ball}.",
)


@dataclass(frozen=True, kw_only=True)
class Pillow(Above):
    """The ball's lowest point begins `gap` above the cushion's highest, `offset` from its middle; metres, m/s."""

    cushion: Cushion
    ball: Weight
    x: float
    velocity: Vec3

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw cushion and ball."""
        ranges = simulation.deformable
        colour, other = draw_colours(rng, 2)
        cushion = Cushion.draw(rng, ranges, colour)
        return cls(
            offset=draw_offset(rng, OFFSET, cushion.half_extents[:2]),
            cushion=cushion,
            ball=Weight.draw(rng, radii=ranges.ball_radius, densities=ranges.ball_density, colour=other),
            x=float(rng.uniform(-REACH, REACH)),
            gap=float(rng.uniform(*ranges.drop_height)),
            velocity=draw_velocity(rng, physics.initial_speed),
        )

    def bodies(self) -> tuple[Thing, ...]:
        """The cushion on the floor and the ball above it."""
        cushion = self.cushion.body(self.x)
        x, y, _ = about("z", self.cushion.yaw).apply([*self.offset, 0.0]).tolist()
        top = float(cushion.points[:, 2].max()) + cushion.thickness
        return (cushion, self.ball.body((self.x + x, y, top + self.gap + self.ball.radius), velocity=self.velocity))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The cushion and the ball above it."""
        phrase = self.cushion.phrase
        words = {"cushion": article(phrase), "phrase": phrase, "ball": article(self.ball.phrase), "gap": self.gap}
        things = zip((f"{phrase} cushion", self.ball.phrase), self.bodies(), strict=True)
        return describe(rng, extrinsics, [PLACE], things, **words)
