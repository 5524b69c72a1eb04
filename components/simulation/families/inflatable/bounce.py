"""Bounce: a beach ball let go in the air."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, choose, write_captions
from components.simulation.props.envelope import Envelope
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import draw_velocity
from components.simulation.scene import Captions, FloatArray, Thing, Vec3
from components.simulation.things.membrane import Gas
from components.simulation.things.shell import THICKNESS, gas_at, sphere_points

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
class Bounce:
    """radius of the inflated ball; `height` of its lowest point, `place` of its centre in the plane; metres, m/s."""

    envelope: Envelope
    radius: float
    place: tuple[float, float]
    height: float
    velocity: Vec3

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the ball and its place."""
        ranges = simulation.inflatable
        (colour,) = draw_colours(rng, 1)
        x, y = (float(rng.uniform(-reach, reach)) for reach in REACH)
        return cls(
            envelope=Envelope.draw(rng, ranges, colour),
            radius=float(rng.uniform(*ranges.radius)),
            place=(x, y),
            height=float(rng.uniform(*ranges.drop_height)),
            velocity=draw_velocity(rng, physics.initial_speed),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The ball a little higher or lower, and aside."""
        x, y, z = rng.normal(1.0, spread, size=3).tolist()
        return replace(self, place=(self.place[0] * x, self.place[1] * y), height=self.height * max(z, 0.5))

    def bodies(self) -> tuple[Thing, ...]:
        """The ball."""
        round_shape = sphere_points(self.radius)
        lowest = self.height + THICKNESS - float(round_shape[:, 2].min())
        ball = self.envelope.shell(
            "beach ball",
            rest=self.envelope.unstressed(self.radius),
            points=round_shape + np.array([*self.place, lowest]),
            gas=Gas.sealed(gas_at(round_shape, self.envelope.pressure(self.radius))),
            period=self.radius,
            velocity=self.velocity,
        )
        return (ball,)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ball in the air."""
        phrase, (ball,) = self.envelope.phrase, self.bodies()
        sentence = choose(rng, PLACE).format(phrase=phrase, article=article(phrase), height=self.height)
        return write_captions(
            rng, extrinsics=extrinsics, sentences=[sentence], objects=[(f"{phrase} beach ball", ball)]
        )
