"""Bounce: a beach ball let go in the air."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.families.starts import InAir, draw_place
from components.simulation.props.envelope import Envelope
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import draw_velocity
from components.simulation.scene import Captions, FloatArray, Thing, Vec3
from components.simulation.things.membrane import Gas
from components.simulation.things.shell import gas_at, sphere_points

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

REACH = (1.3, 0.4)  # metres from the middle, across and along the front view
PLACE = (
    "{article} beach ball {height:.1f} metres above a grey floor.",
    "{height:.1f} metres over a grey floor, {article} beach ball full of air.",
    "an inflated beach ball of {phrase} in the air, {height:.1f} metres up.",
    "above a grey floor, at a height of {height:.1f} metres, {article} beach ball.",
)


@dataclass(frozen=True, kw_only=True)
class Bounce(InAir):
    """radius of the inflated ball; `height` of its lowest point, `place` of its centre in the plane; metres, m/s."""

    envelope: Envelope
    radius: float
    velocity: Vec3

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the ball and its place."""
        ranges = simulation.inflatable
        (colour,) = draw_colours(rng, 1)
        return cls(
            place=draw_place(rng, REACH),
            envelope=Envelope.draw(rng, ranges, colour),
            radius=float(rng.uniform(*ranges.radius)),
            height=float(rng.uniform(*ranges.drop_height)),
            velocity=draw_velocity(rng, physics.initial_speed),
        )

    def bodies(self) -> tuple[Thing, ...]:
        """The ball."""
        round_shape = sphere_points(self.radius)
        ball = self.envelope.shell(
            "beach ball",
            rest=self.envelope.unstressed(self.radius),
            points=self.envelope.over_floor(round_shape, self.place, self.height),
            gas=Gas.sealed(gas_at(round_shape, self.envelope.pressure(self.radius))),
            period=self.radius,
            velocity=self.velocity,
        )
        return (ball,)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ball in the air."""
        phrase, (ball,) = self.envelope.phrase, self.bodies()
        words = {"phrase": phrase, "article": article(phrase), "height": self.height}
        return describe(rng, extrinsics, [PLACE], [(f"{phrase} beach ball", ball)], **words)
