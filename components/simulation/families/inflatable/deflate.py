"""Deflate: an inflated ball on the floor whose valve is open."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.families.starts import draw_place
from components.simulation.props.envelope import Envelope
from components.simulation.props.looks import draw_colours
from components.simulation.scene import Captions, FloatArray, Thing
from components.simulation.things.membrane import Gas
from components.simulation.things.shell import gas_at, sphere_points

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

REACH = (1.2, 0.4)  # metres from the middle, across and along the front view
FLAT = (0.7, 1.0)  # height over width at frame 0
LARGE = 1.35  # of a beach ball's radius: what sinks in place has to be seen
PLACE = (
    "{article} balloon, {width:.1f} metres wide, on a grey floor; {litres:.0f} litres of air leak from its open valve.",
    "on a grey floor {article} balloon with an open valve, which loses {litres:.0f} litres in {seconds:.1f} seconds.",
    "the valve of {article} balloon on a grey floor is open, and {litres:.0f} litres of air can leave.",
    "{article} balloon lies on a grey floor and leaks {litres:.0f} litres of air in {seconds:.1f} seconds.",
)


@dataclass(frozen=True, kw_only=True)
class Deflate:
    """radius of the full balloon across, flattened in height by `flat`; loss: share of the gas, in `seconds`."""

    envelope: Envelope
    radius: float
    flat: float
    loss: float
    seconds: float
    place: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the balloon and its leak; all begins at rest, whatever `physics` says of speeds."""
        ranges, (colour,) = simulation.inflatable, draw_colours(rng, 1)
        return cls(
            place=draw_place(rng, REACH),
            envelope=Envelope.draw(rng, ranges, colour),
            radius=LARGE * float(rng.uniform(*ranges.radius)),
            flat=float(rng.uniform(*FLAT)),
            loss=float(rng.uniform(*ranges.shrinkage)),
            seconds=float(rng.uniform(*ranges.seconds)),
        )

    @property
    def full(self) -> FloatArray:
        """The balloon's vertices (642,3) around its middle."""
        return np.asarray(sphere_points(self.radius) * np.array([1.0, 1.0, self.flat]), np.float64)

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The balloon a little larger or smaller, and aside."""
        x, y, size = rng.normal(1.0, spread, size=3).tolist()
        return replace(self, radius=self.radius * size, place=(self.place[0] * x, self.place[1] * y))

    def bodies(self) -> tuple[Thing, ...]:
        """The balloon, its skin just free of stress."""
        held = gas_at(self.full, 0.0)
        balloon = self.envelope.shell(
            "balloon",
            rest=self.full,
            points=self.envelope.over_floor(self.full, self.place),
            gas=Gas(start=held, end=held * (1 - self.loss), seconds=self.seconds),
            period=self.radius,
        )
        return (balloon,)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The balloon and its leak."""
        phrase, litres = self.envelope.phrase, 1000 * gas_at(self.full, 0.0) * self.loss
        words = {"article": article(phrase), "width": 2 * self.radius, "litres": litres, "seconds": self.seconds}
        return describe(rng, extrinsics, [PLACE], [(f"{phrase} balloon", self.bodies()[0])], **words)
