"""Pour: water let go on a sloping plank in a tank, from whose lower end it falls."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import describe, side
from components.simulation.props.chute import LENGTH, Chute
from components.simulation.props.liquids import glass_tank, lattice, spacing_for, water, whole
from components.simulation.props.looks import draw_colours
from components.simulation.scene import Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

TANK = (3.3, (0.5, 0.65), 2.4)  # metres: length, width, height
END = (0.5, 0.8)  # metres from the floor up to the lower end
BLOCK = ((0.6, 0.9), (0.4, 0.6))  # metres of water: down the slope, thickness
SLOPE = (15.0, 28.0)  # degrees
PLACE = (
    "{colour} water lies on a plank that slopes down to the {side} at {angle:.0f} degrees, inside a glass tank.",
    "in a glass tank, a block of {colour} water on a plank of {angle:.0f} degrees, its lower end on the {side}.",
    "a sloping plank in a glass tank, lower on the {side}, and {colour} water at its upper end.",
    "high in a glass tank there is {colour} water on a plank that leans down to the {side} by {angle:.0f} degrees.",
)


@dataclass(frozen=True, kw_only=True)
class Pour:
    """Metres and degrees; way: 1 where the plank goes down towards +x, -1 towards -x; distance: block from the top."""

    colour: str
    spacing: float
    width: float
    angle: float
    way: int
    end: float
    block: tuple[float, float]
    distance: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the plank, and the water on its upper part."""
        width = float(rng.uniform(*TANK[1]))
        down, thick = (float(rng.uniform(*bounds)) for bounds in BLOCK)
        spacing = spacing_for(rng, simulation.fluid, volume=down * thick * width, width=width)
        (colour,) = draw_colours(rng, 1)
        return cls(
            colour=colour,
            spacing=spacing,
            width=width,
            angle=float(rng.uniform(*SLOPE)),
            way=int(rng.choice([-1, 1])),
            end=float(rng.uniform(*END)),
            block=(whole(down, spacing), whole(thick, spacing)),
            distance=float(rng.uniform(0.45, 0.55)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The water a little further up or down."""
        return replace(self, distance=self.distance * float(np.clip(rng.normal(1.0, spread), 0.9, 1.1)))

    def bodies(self) -> tuple[Thing, ...]:
        """The tank, the plank from end to end of its width, and the water."""
        chute, (down, thick) = Chute(angle=self.angle, way=self.way, end=self.end), self.block
        along = np.array([self.distance + down / 2 - LENGTH, 0.0, 0.0])
        points = chute.lay(lattice((down, self.width, thick), self.spacing) + along)
        liquid = water(points, colour=self.colour, spacing=self.spacing)
        return (glass_tank((TANK[0], self.width, TANK[2])), chute.plank(self.width), liquid)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The plank, its slope, and the water on it."""
        lower = side(extrinsics, (0.0, 0.0, 0.0), (float(self.way), 0.0, 0.0))
        objects = [(f"{self.colour} water", self.bodies()[2])]
        return describe(rng, extrinsics, [PLACE], objects, colour=self.colour, side=lower, angle=self.angle)
