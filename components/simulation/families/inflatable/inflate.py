"""Inflate: a small balloon on a grey pump that blows air into it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.families.starts import draw_place
from components.simulation.props.envelope import Envelope
from components.simulation.props.looks import draw_colours
from components.simulation.props.pump import balloon_on_pump
from components.simulation.scene import Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

REACH = (1.2, 0.4)  # metres from the middle, across and along the front view
PUMP = (0.35, 0.7)  # metres of height
GREY = (0.15, 0.3)
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
        return cls(
            place=draw_place(rng, REACH),
            envelope=Envelope.draw(rng, ranges, colour),
            radius=float(rng.uniform(*ranges.radius)) / growth,
            growth=growth,
            seconds=float(rng.uniform(*ranges.seconds)),
            pump=float(rng.uniform(*PUMP)),
            grey=float(rng.uniform(*GREY)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """A balloon that is a little larger or smaller at first, and ends with as much air."""
        factor = float(rng.normal(1.0, spread))
        return replace(self, radius=self.radius * factor, growth=self.growth / factor)

    def bodies(self) -> tuple[Thing, ...]:
        """The pump and the balloon, whose neck never moves."""
        return balloon_on_pump(
            self.envelope,
            radius=self.radius,
            growth=self.growth,
            seconds=self.seconds,
            height=self.pump,
            place=self.place,
            grey=self.grey,
        )

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The balloon, the pump and what it will blow."""
        phrase, (_, balloon) = self.envelope.phrase, self.bodies()
        litres = 4000 / 3 * np.pi * self.radius**3 * (self.growth**3 - 1)
        words = {"article": article(phrase), "width": 2 * self.radius, "litres": litres, "seconds": self.seconds}
        return describe(rng, extrinsics, [PLACE], [(f"{phrase} balloon", balloon)], **words)
