"""Hopper: grains above the slot between two sloping plates, in a flat tank."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import choose, write_captions
from components.simulation.props.grains import ROUND, STONE, block, draw_name, grains, radius_for
from components.simulation.props.liquids import glass_tank
from components.simulation.props.looks import draw_colours
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, Captions, FloatArray, Shape, Thing, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

TANK = (2.2, (0.3, 0.4), 2.3)  # metres: length, width, height
SLOT = (6.0, 9.0)  # diameters of a grain: wide enough that no arch of grains closes it
STEEP = (35.0, 50.0)  # degrees of the plates
LIP = (0.7, 0.95)  # metres from the floor up to the slot
PLATE = 0.08  # metres: thickness
FILLED = (0.9, 0.55)  # metres: breadth and height of the block of grains
PLACE = (
    "{thing} in a hopper of two sloping plates with a slot between them, inside a glass tank.",
    "a flat glass tank with two slanted plates like a funnel, and {thing} above the gap.",
    "above the narrow gap between two sloping plates there are {thing}, all in a glass tank.",
    "{thing} rest over a funnel of two plates in a flat glass tank.",
)


@dataclass(frozen=True, kw_only=True)
class Hopper:
    """Metres and degrees; slot: its breadth; lip: its height; lift: of the grains above the plates."""

    colour: str
    name: str
    radius: float
    friction: float
    width: float
    slot: float
    steep: float
    lip: float
    lift: float
    seed: int

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
        plates = [self._plate("left plate", -1.0), self._plate("right plate", 1.0)]
        tank = glass_tank((TANK[0], self.width, TANK[2]))
        size: Vec3 = (FILLED[0], self.width, 2.0)
        points = block(size, self.radius, np.random.default_rng(self.seed)) + np.array([0.0, 0.0, self.lip])
        slope = np.radians(self.steep)
        rise = np.maximum(np.abs(points[:, 0]) - self.slot / 2, 0.0) * np.tan(slope)
        over = points[:, 2] - self.lip - rise
        level = over.min() + self.lift  # over the slot grains begin at the lip, over the plates clear of them
        low = np.maximum(self.radius / np.cos(slope) + self.lift, level)
        top = self.lip + FILLED[1] + FILLED[0] / 4 * np.tan(slope)
        points = points[(over > low) & (points[:, 2] < top)]
        surface = {"friction": self.friction, "rolling": ROUND}
        moving = grains(points, colour=self.colour, name=self.name, radius=self.radius, **surface)
        return (tank, *plates, moving)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The grains and the hopper."""
        phrase = f"{self.colour} {self.name}"
        sentence = choose(rng, PLACE).format(thing=phrase)
        return write_captions(rng, extrinsics=extrinsics, sentences=[sentence], objects=[(phrase, self.bodies()[-1])])

    def _plate(self, name: str, way: float) -> Body:
        """Its upper surface begins at the lip of the slot and rises outwards."""
        turn = about("y", -way * self.steep)
        half = (TANK[0] - self.slot) / 4 / float(np.cos(np.radians(self.steep)))  # it ends at the pane
        centre = np.array([way * self.slot / 2, 0.0, self.lip]) + turn.apply([way * half, 0.0, -PLATE / 2])
        return Body(
            name=name,
            shape=Shape.BOX,
            size=(half, self.width / 2, PLATE / 2),
            texture=STONE,
            position=vec3(centre),
            orientation=quaternion(turn),
            restitution=1.0,
            friction=0.6,
        )
