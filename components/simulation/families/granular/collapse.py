"""Collapse: a block of grains that stands free on the floor."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import describe
from components.simulation.props.grains import Packing, draw_name, radius_for
from components.simulation.props.looks import draw_colours
from components.simulation.scene import Captions, FloatArray, Thing, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

SIDES = ((0.5, 0.8), (0.5, 0.7), (0.9, 1.5))  # metres: along x, along y, height
REACH = (0.7, 0.2)  # metres from the middle of the floor
PLACE = (
    "a block of {thing} stands free on a grey floor, {height:.1f} metres high.",
    "on a grey floor {thing} are stacked into a {height:.1f} metre column.",
    "{thing}, packed into a column {height:.1f} metres tall, on a grey floor.",
    "a grey floor with a tower of {thing}, {height:.1f} metres high and held by nothing.",
)


@dataclass(frozen=True, kw_only=True)
class Collapse(Packing):
    """Metres; size: of the block; place: x and y of its middle."""

    colour: str
    size: Vec3
    place: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a block and where it stands."""
        x, y, z = (float(rng.uniform(*bounds)) for bounds in SIDES)
        (colour,) = draw_colours(rng, 1)
        return cls(
            colour=colour,
            name=draw_name(rng),
            radius=radius_for(rng, simulation.granular, volume=x * y * z),
            friction=float(rng.uniform(*simulation.granular.friction)),
            size=(x, y, z),
            place=(float(rng.uniform(-REACH[0], REACH[0])), float(rng.uniform(-REACH[1], REACH[1]))),
            seed=int(rng.integers(2**31)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The block elsewhere, with another disorder of its grains."""
        x, y = rng.normal(1.0, spread, size=2).tolist()
        return replace(self, place=(self.place[0] * x, self.place[1] * y), seed=int(rng.integers(2**31)))

    def bodies(self) -> tuple[Thing, ...]:
        """The grains."""
        points = self.block(self.size) + np.array([*self.place, 0.0])
        return (self.grains(points, self.colour),)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The grains and the height of their block."""
        phrase = f"{self.colour} {self.name}"
        return describe(rng, extrinsics, [PLACE], [(phrase, self.bodies()[0])], thing=phrase, height=self.size[2])
