"""Avalanche: a heap of grains on a ramp, steeper than grains lie still."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import describe
from components.simulation.families.starts import OnSlope
from components.simulation.props.grains import Packing, draw_name, radius_for
from components.simulation.props.incline import LENGTH
from components.simulation.props.looks import draw_colours
from components.simulation.scene import Captions, FloatArray, Thing, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

SIDES = ((0.6, 0.9), (0.6, 0.9), (0.25, 0.4))  # metres: down the slope, across it, thickness
YAW = (-15.0, 15.0)  # degrees around straight across the front view
FROM_TOP = (0.1, 0.3)  # metres between the heap and the upper end of the ramp
PLACE = (
    "{thing} lie on a ramp that slopes down to the {side} at {angle:.0f} degrees.",
    "a ramp, {angle:.0f} degrees steep and lower on the {side}, with a layer of {thing} near its top.",
    "near the top of a {angle:.0f} degree ramp there are {thing}; its foot is on the {side}.",
    "a heap of {thing} high on a ramp of {angle:.0f} degrees that leads down to the {side}.",
)


@dataclass(frozen=True, kw_only=True)
class Avalanche(Packing, OnSlope):
    """Slope as in `Incline`; size of the heap and its distance up from the ramp's foot in metres."""

    colour: str
    size: Vec3

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the ramp, and grains near its upper end."""
        ranges = simulation.granular
        x, y, z = (float(rng.uniform(*bounds)) for bounds in SIDES)
        (colour,) = draw_colours(rng, 1)
        return cls(
            colour=colour,
            name=draw_name(rng),
            radius=radius_for(rng, ranges, volume=x * y * z),
            friction=float(rng.uniform(*ranges.friction)),
            angle=float(rng.uniform(*ranges.ramp_angle)),
            yaw=float(rng.choice([0.0, 180.0]) + rng.uniform(*YAW)),
            size=(x, y, z),
            distance=LENGTH - x / 2 - float(rng.uniform(*FROM_TOP)),
            seed=int(rng.integers(2**31)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The heap a little further up or down, with another disorder of its grains."""
        distance = min(self.distance * float(rng.normal(1.0, spread)), LENGTH - self.size[0] / 2)
        return replace(self, distance=distance, seed=int(rng.integers(2**31)))

    def bodies(self) -> tuple[Thing, ...]:
        """The ramp, and the grains on it."""
        origin = self.slope.place(distance=self.distance, offset=0.0, height=0.0)
        heap = self.slope.rotation.apply(self.block(self.size)) + origin
        moving = self.grains(heap, self.colour)
        return (self.slope.body(grey=0.2, friction=1.0), moving)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ramp, its slope, and the grains."""
        phrase = f"{self.colour} {self.name}"
        lower = self.slope.lower_side(extrinsics)
        words = {"thing": phrase, "side": lower, "angle": self.angle}
        return describe(rng, extrinsics, [PLACE], [(phrase, self.bodies()[1])], **words)
