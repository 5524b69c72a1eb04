"""Inflate: a small balloon on a grey pump that blows air into it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, choose, write_captions
from components.simulation.props.envelope import Envelope
from components.simulation.props.fabric import rod
from components.simulation.props.looks import draw_colours
from components.simulation.scene import Captions, FloatArray, Thing
from components.simulation.things.membrane import Gas
from components.simulation.things.shell import THICKNESS, gas_at, sphere_points

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

REACH = (1.2, 0.4)  # metres from the middle, across and along the front view
PUMP = (0.35, 0.7)  # metres of height
NECK = 0.45  # of the small balloon's radius: the neck's, and the pump's
GREY = (0.15, 0.3)
ELASTIC = 0.25  # a balloon's stiffness over that of a beach ball: it doubles its radius at 1 kPa
PLACE = (
    "{article} balloon, {width:.1f} metres across, on a grey pump that blows {litres:.0f} litres of air into it.",
    "a grey pump is about to blow {litres:.0f} litres of air into {article} balloon on its top.",
    "on a grey pump there is {article} balloon; in {seconds:.1f} seconds {litres:.0f} litres of air enter it.",
    "{article} balloon sits on a grey pump, which presses {litres:.0f} litres of air into it in {seconds:.1f} seconds.",
)


@dataclass(frozen=True, kw_only=True)
class Inflate:
    """radius of the balloon, not stretched, in metres; growth: of the radius of what it holds; seconds that takes."""

    envelope: Envelope
    radius: float
    growth: float
    seconds: float
    pump: float
    place: tuple[float, float]
    grey: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the balloon, the pump and how much it blows; all begins at rest, whatever `physics` says of speeds."""
        ranges = simulation.inflatable
        (colour,) = draw_colours(rng, 1)
        growth = float(rng.uniform(*ranges.growth))
        x, y = (float(rng.uniform(-reach, reach)) for reach in REACH)
        return cls(
            envelope=Envelope.draw(rng, ranges, colour),
            radius=float(rng.uniform(*ranges.radius)) / growth,
            growth=growth,
            seconds=float(rng.uniform(*ranges.seconds)),
            pump=float(rng.uniform(*PUMP)),
            place=(x, y),
            grey=float(rng.uniform(*GREY)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """A balloon that is a little larger or smaller at first, and ends with as much air."""
        factor = float(rng.normal(1.0, spread))
        return replace(self, radius=self.radius * factor, growth=self.growth / factor)

    def bodies(self) -> tuple[Thing, ...]:
        """The pump and the balloon, whose neck never moves."""
        small = sphere_points(self.radius)
        below = np.hypot(small[:, 0], small[:, 1]) < NECK * self.radius
        neck = below & (small[:, 2] < 0)
        bottom = float(small[neck, 2].max())  # the pump's top: the cap below it is in the pump
        points = small.copy()
        points[neck, 2] = bottom
        held = gas_at(points, 0.0)
        pump = rod(
            "pump",
            radius=NECK * self.radius,
            length=self.pump,
            position=(*self.place, self.pump / 2),
            grey=self.grey,
            assembly="pump",
        )
        thin, area = self.envelope, self.growth**2  # drawn as it is when full; until then it is thicker
        unblown = replace(thin, density=thin.density * area, stiffness=thin.stiffness * ELASTIC)
        balloon = unblown.shell(
            "balloon",
            rest=points,
            points=points + np.array([*self.place, self.pump + THICKNESS - bottom]),
            gas=Gas(start=held, end=held * self.growth**3, seconds=self.seconds),
            period=self.radius,
            pinned=neck,
            assembly="pump",
        )
        return (pump, balloon)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The balloon, the pump and what it will blow."""
        phrase, (_, balloon) = self.envelope.phrase, self.bodies()
        litres = 4000 / 3 * np.pi * self.radius**3 * (self.growth**3 - 1)
        words = {"article": article(phrase), "width": 2 * self.radius, "litres": litres, "seconds": self.seconds}
        sentence = choose(rng, PLACE).format(**words)
        return write_captions(
            rng, extrinsics=extrinsics, sentences=[sentence], objects=[(f"{phrase} balloon", balloon)]
        )
