"""Dam break: a column of water that stands free at one end of a tank."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import describe, side
from components.simulation.props.liquids import glass_tank, lattice, spacing_for, water, whole
from components.simulation.props.looks import draw_colours
from components.simulation.scene import Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

TANK = ((2.9, 3.5), (0.5, 0.7), 2.1)  # metres: length, width, height
BREADTH = (0.7, 1.1)  # metres along the tank
FROM_PANE = (0.08, 0.4)  # metres between the column and the end of the tank
PLACE = (
    "a column of {colour} water, {height:.1f} metres high, stands at the {side} end of a glass tank.",
    "in a long glass tank there is {colour} water, heaped up {height:.1f} metres high on the {side}.",
    "at the {side} end of a closed glass tank, a free-standing block of {colour} water, {height:.1f} metres tall.",
    "a glass tank; {colour} water stands in it as a {height:.1f} metre column on the {side}.",
)


@dataclass(frozen=True, kw_only=True)
class DamBreak:
    """Metres; tank and column: along x, along y, height (the column is as wide as the tank); x: the column's middle."""

    colour: str
    spacing: float
    tank: tuple[float, float, float]
    column: tuple[float, float, float]
    x: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw tank and column; its place is at either end."""
        length, width = (float(rng.uniform(*bounds)) for bounds in TANK[:2])
        breadth, height = float(rng.uniform(*BREADTH)), float(rng.uniform(*simulation.fluid.height))
        spacing = spacing_for(rng, simulation.fluid, volume=breadth * width * height, width=width)
        breadth = whole(breadth, spacing)
        x = length / 2 - breadth / 2 - float(rng.uniform(*FROM_PANE))
        (colour,) = draw_colours(rng, 1)
        return cls(
            colour=colour,
            spacing=spacing,
            tank=(length, width, TANK[2]),
            column=(breadth, width, whole(height, spacing)),
            x=x * float(rng.choice([-1.0, 1.0])),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The column a little nearer to the end of the tank, or further from it."""
        reach = (self.tank[0] - self.column[0]) / 2
        return replace(self, x=float(np.clip(self.x * rng.normal(1.0, spread), -reach, reach)))

    def bodies(self) -> tuple[Thing, ...]:
        """The tank and the water."""
        points = lattice(self.column, self.spacing) + np.array([self.x, 0.0, 0.0])
        return (glass_tank(self.tank), water(points, colour=self.colour, spacing=self.spacing))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The column and the end at which it stands."""
        where = side(extrinsics, (0.0, 0.0, 0.0), (float(np.sign(self.x)), 0.0, 0.0))
        words = {"colour": self.colour, "height": self.column[2], "side": where}
        return describe(rng, extrinsics, [PLACE], [(f"{self.colour} water", self.bodies()[1])], **words)
