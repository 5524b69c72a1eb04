"""Cushion: a ball let go above an air cushion that lies on the floor."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.families.starts import Above, draw_offset
from components.simulation.props.envelope import Envelope
from components.simulation.props.light_ball import LightBall
from components.simulation.props.looks import draw_colours
from components.simulation.rotations import about
from components.simulation.scene import Captions, FloatArray, Thing, Vec3
from components.simulation.things.membrane import Gas
from components.simulation.things.shell import THICKNESS, cushion_points, gas_at

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

WIDE, DEEP, HIGH = (1.5, 1.9), (1.2, 1.5), (0.55, 0.75)  # half extents, over the radius of a beach ball
ROUNDNESS = 3.5  # exponent of the outline: 2 is an ellipse, more is squarer
YAW = (-30.0, 30.0)
REACH = 0.6  # metres from the middle, across the front view
OFFSET = 0.35  # of the half extents at most, from above the middle to the ball
PLACE = (
    "{ball} {gap:.1f} metres above {cushion} air cushion on a grey floor.",
    "{cushion} air cushion lies on a grey floor, and {gap:.1f} metres over it is {ball}.",
    "over {cushion} cushion full of air, {gap:.1f} metres higher, {ball}.",
    "on a grey floor {cushion} air cushion; in the air, {gap:.1f} metres above it, {ball}.",
)


@dataclass(frozen=True, kw_only=True)
class Cushion(Above):
    """Half extents of the cushion; the ball's lowest point begins `gap` above it, `offset` from its middle; metres."""

    envelope: Envelope
    ball: LightBall
    half_extents: Vec3
    x: float
    yaw: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw cushion and ball."""
        ranges = simulation.inflatable
        colour, other = draw_colours(rng, 2)
        radius = float(rng.uniform(*ranges.radius))
        wide, deep, high = (radius * float(rng.uniform(*factor)) for factor in (WIDE, DEEP, HIGH))
        return cls(
            offset=draw_offset(rng, OFFSET, (wide, deep)),
            envelope=Envelope.draw(rng, ranges, colour),
            ball=LightBall.draw(rng, physics, radius=ranges.ball_radius, density=ranges.ball_density, colour=other),
            half_extents=(wide, deep, high),
            x=float(rng.uniform(-REACH, REACH)),
            yaw=float(rng.uniform(*YAW)),
            gap=float(rng.uniform(*ranges.drop_height)),
        )

    def bodies(self) -> tuple[Thing, ...]:
        """The cushion, filled until its skin is smooth and free, and the ball."""
        flat = cushion_points(self.half_extents, ROUNDNESS)
        wide, _, high = self.half_extents
        centre = np.array([self.x, 0.0, THICKNESS + high])
        cushion = self.envelope.shell(
            "cushion",
            rest=flat,
            points=np.asarray(about("z", self.yaw).apply(flat) + centre, np.float64),
            gas=Gas.sealed(gas_at(flat, self.envelope.pressure(wide))),
            period=wide / 2,
        )
        x, y = (about("z", self.yaw).apply([*self.offset, 0.0]) + centre)[:2].tolist()
        return (cushion, self.ball.body((x, y, 2 * THICKNESS + 2 * high + self.gap + self.ball.radius)))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The cushion and the ball above it."""
        words = {"cushion": article(self.envelope.phrase), "ball": article(self.ball.phrase), "gap": self.gap}
        things = zip((f"{self.envelope.phrase} cushion", self.ball.phrase), self.bodies(), strict=True)
        return describe(rng, extrinsics, [PLACE], things, **words)
