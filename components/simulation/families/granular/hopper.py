"""Hopper: grains above the slot between two sloping plates, in a flat tank."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import describe
from components.simulation.props.funnel import Funnel
from components.simulation.props.grains import ROUND, Packing, draw_name, radius_for
from components.simulation.props.liquids import glass_tank
from components.simulation.props.looks import draw_colours
from components.simulation.scene import Captions, FloatArray, Thing, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

TANK = (2.2, (0.3, 0.4), 2.3)  # metres: length, width, height
SLOT = (6.0, 9.0)  # diameters of a grain: wide enough that no arch of grains closes it
STEEP = (35.0, 50.0)  # degrees of the plates
LIP = (0.7, 0.95)  # metres from the floor up to the slot
HIGHEST = 2.0  # metres above the lip: more than is filled
FILLED = (0.9, 0.55)  # metres: breadth and height of the block of grains
PLACE = (
    "{thing} in a hopper of two sloping plates with a slot between them, inside a glass tank.",
    "a flat glass tank with two slanted plates like a funnel, and {thing} above the gap.",
    "above the narrow gap between two sloping plates there are {thing}, all in a glass tank.",
    "{thing} rest over a funnel of two plates in a flat glass tank.",
)


@dataclass(frozen=True, kw_only=True)
class Hopper(Packing):
    """Metres and degrees; slot: its breadth; lip: its height; lift: of the grains above the plates."""

    colour: str
    width: float
    slot: float
    steep: float
    lip: float
    lift: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the hopper, and the grains above it."""
        ranges, width = simulation.granular, float(rng.uniform(*TANK[1]))
        radius = radius_for(rng, ranges, volume=FILLED[0] * FILLED[1] * width)
        (colour,) = draw_colours(rng, 1)
        return cls(
            colour=colour,
            name=draw_name(rng),
            radius=radius,
            friction=float(rng.uniform(*ranges.friction)),
            width=width,
            slot=2 * radius * float(rng.uniform(*SLOT)),
            steep=float(rng.uniform(*STEEP)),
            lip=float(rng.uniform(*LIP)),
            lift=float(rng.uniform(0.02, 0.06)),
            seed=int(rng.integers(2**31)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The grains a little higher or lower, with another disorder."""
        lift = self.lift * float(np.clip(rng.normal(1.0, spread), 0.5, 1.5))
        return replace(self, lift=lift, seed=int(rng.integers(2**31)))

    def bodies(self) -> tuple[Thing, ...]:
        """The tank, both plates, and the grains that are above them."""
        size: Vec3 = (FILLED[0], self.width, HIGHEST)
        funnel = Funnel(length=TANK[0], width=self.width, slot=self.slot, lip=self.lip, steep=self.steep)
        points = self.block(size) + np.array([0.0, 0.0, self.lip])
        kept = funnel.above(points, radius=self.radius, lift=self.lift, depth=FILLED[1], across=FILLED[0])
        tank = glass_tank((TANK[0], self.width, TANK[2]))
        return (tank, *funnel.plates(), self.grains(points[kept], self.colour, rolling=ROUND))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The grains and the hopper."""
        phrase = f"{self.colour} {self.name}"
        return describe(rng, extrinsics, [PLACE], [(phrase, self.bodies()[-1])], thing=phrase)
