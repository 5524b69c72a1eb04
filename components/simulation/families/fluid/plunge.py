"""Plunge: a ball in the air above the water of a tank, lighter or heavier than water."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.props.floaters import draw_floater
from components.simulation.props.liquids import draw_pool, glass_tank, lattice, water
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import RigidObject
from components.simulation.scene import Captions, FloatArray, Thing, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

TANK = ((1.7, 2.1), (0.8, 0.9), 2.3)  # metres: length, width, height
DEPTH = (0.45, 0.6)  # metres of water
AIR = 0.03  # metres at least between the object and the panes
PLACE = (
    "{thing} in the air, {clearance:.1f} metres above the {colour} water of a glass tank.",
    "{clearance:.1f} metres over {colour} water in a glass tank there is {thing}.",
    "a glass tank with {depth:.1f} metres of {colour} water, and above it, {clearance:.1f} metres up, {thing}.",
    "above a tank of {colour} water {depth:.1f} metres deep, at {clearance:.1f} metres, {thing}.",
)


@dataclass(frozen=True, kw_only=True)
class Plunge:
    """Metres; tank: along x, along y, height; depth of the water; position: the object's centre."""

    thing: RigidObject
    colour: str
    spacing: float
    tank: tuple[float, float, float]
    depth: float
    position: Vec3

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a tank, its water and an object above it."""
        ranges = simulation.fluid
        (length, width, depth), spacing = draw_pool(rng, ranges, length=TANK[0], width=TANK[1], depth=DEPTH)
        own, liquid = draw_colours(rng, 2)
        thing = draw_floater(rng, ranges, physics, colour=own)
        room = max(0.0, length / 2 - thing.bounding_radius - AIR)
        x, clearance = float(rng.uniform(-room, room)), float(rng.uniform(*ranges.drop_height))
        return cls(
            thing=thing,
            colour=liquid,
            spacing=spacing,
            tank=(length, width, TANK[2]),
            depth=depth,
            position=(x, 0.0, depth + clearance + thing.depth((0.0, 0.0, 0.0, 1.0))),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The object a little aside, and higher or lower by at most half of its clearance."""
        (x, _, z), (fx, fz) = self.position, rng.normal(1.0, spread, size=2).tolist()
        room = self.tank[0] / 2 - self.thing.bounding_radius
        low, high = z - self._clearance / 2, self.tank[2] - self.thing.bounding_radius
        moved = (float(np.clip(x * fx, -room, room)), 0.0, float(np.clip(z * fz, low, max(z, high))))
        return replace(self, position=moved)

    def bodies(self) -> tuple[Thing, ...]:
        """The tank, the water and the object."""
        points = lattice((self.tank[0], self.tank[1], self.depth), self.spacing)
        liquid = water(points, colour=self.colour, spacing=self.spacing)
        return (glass_tank(self.tank), liquid, self.thing.body(position=self.position))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The object, its material and height, and the water."""
        words = {"thing": article(self.thing.phrase), "clearance": self._clearance, "depth": self.depth}
        objects = zip((f"{self.colour} water", self.thing.phrase), self.bodies()[1:], strict=True)
        return describe(rng, extrinsics, [PLACE], objects, colour=self.colour, **words)

    @property
    def _clearance(self) -> float:
        return self.position[2] - self.thing.depth((0.0, 0.0, 0.0, 1.0)) - self.depth
