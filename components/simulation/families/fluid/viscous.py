"""Viscous: a column of syrup on the floor, or a ball of it in the air."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from components.simulation.captions import describe
from components.simulation.families.starts import draw_place
from components.simulation.props.liquids import ball, pillar, syrup, whole
from components.simulation.props.looks import draw_colours
from components.simulation.props.words import SYRUP
from components.simulation.scene import Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

RADIUS = {"column": (0.3, 0.42), "ball": (0.4, 0.5)}  # metres
CLEARANCE = (0.3, 0.8)  # metres under a ball
REACH = (0.8, 0.3)  # metres from the middle, along x and y


@dataclass(frozen=True, kw_only=True)
class Viscous:
    """Metres and Pa s; height: of a column, or of the air under a ball; place: x and y of the axis."""

    shape: Literal["column", "ball"]
    colour: str
    spacing: float
    viscosity: float
    radius: float
    height: float
    place: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw shape, size, place and viscosity, the latter evenly over its logarithm."""
        ranges = simulation.fluid
        shape: Literal["column", "ball"] = "column" if rng.random() < 0.5 else "ball"
        radius = float(rng.uniform(*RADIUS[shape]))
        height = float(rng.uniform(*(ranges.height if shape == "column" else CLEARANCE)))
        volume = np.pi * radius**2 * (height if shape == "column" else 4 / 3 * radius)
        spacing = float((volume / rng.uniform(*ranges.particles)) ** (1 / 3))
        place = draw_place(rng, REACH)
        (colour,) = draw_colours(rng, 1)
        return cls(
            shape=shape,
            colour=colour,
            spacing=spacing,
            viscosity=float(np.exp(rng.uniform(*np.log(ranges.viscosity)))),
            radius=radius,
            height=whole(height, spacing) if shape == "column" else height,
            place=place,
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Another place, and another height of a ball."""
        x, y, z = np.clip(rng.normal(1.0, spread, size=3), 0.5, 1.5).tolist()
        height = self.height if self.shape == "column" else self.height * z
        return replace(self, place=(self.place[0] * x, self.place[1] * y), height=height)

    def bodies(self) -> tuple[Thing, ...]:
        """The syrup."""
        across = whole(2 * self.radius, self.spacing)
        if self.shape == "column":
            points = pillar(across, self.height, self.spacing, radius=self.radius)
        else:
            points = ball(across, self.spacing, radius=self.radius)
        points += [*self.place, 0.0 if self.shape == "column" else self.height]
        return (syrup(points, colour=self.colour, spacing=self.spacing, viscosity=self.viscosity),)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The syrup, its shape and size."""
        objects = [(f"{self.colour} syrup", self.bodies()[0])]
        return describe(rng, extrinsics, [SYRUP[self.shape]], objects, colour=self.colour, height=self.height)
