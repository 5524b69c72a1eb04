"""Pour: water let go on a sloping plank in a tank, from whose lower end it falls."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.spatial.transform import Rotation

from components.simulation.captions import choose, side, write_captions
from components.simulation.props.liquids import glass_tank, lattice, spacing_for, water, whole
from components.simulation.props.looks import draw_colours
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, Captions, FloatArray, Pattern, Shape, Texture, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

TANK = (3.3, (0.5, 0.65), 2.4)  # metres: length, width, height
PLANK = (1.5, 0.16)  # metres: length down the slope, thickness: no less than a cell of the solver's grid
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
        place = self._corner - self._turn.apply([PLANK[0] / 2, 0.0, PLANK[1] / 2])
        grey = (0.25, 0.25, 0.25)
        plank = Body(
            name="plank",
            shape=Shape.BOX,
            size=(PLANK[0] / 2, self.width / 2, PLANK[1] / 2),
            texture=Texture(pattern=Pattern.NOISE, colour=grey, second_colour=(0.18, 0.18, 0.18), scale=0.4),
            position=vec3(place),
            orientation=quaternion(self._turn),
            restitution=1.0,
        )
        down, thick = self.block
        points = lattice((down, self.width, thick), self.spacing) + np.array(
            [self.distance + down / 2 - PLANK[0], 0.0, 0.0]
        )
        liquid = water(self._turn.apply(points) + self._corner, colour=self.colour, spacing=self.spacing)
        return (glass_tank((TANK[0], self.width, TANK[2])), plank, liquid)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The plank, its slope, and the water on it."""
        lower = side(extrinsics, (0.0, 0.0, 0.0), (float(self.way), 0.0, 0.0))
        sentence = choose(rng, PLACE).format(colour=self.colour, side=lower, angle=self.angle)
        objects = [(f"{self.colour} water", self.bodies()[2])]
        return write_captions(rng, extrinsics=extrinsics, sentences=[sentence], objects=objects)

    @property
    def _turn(self) -> Rotation:
        """Of the plank: x down the slope, z its normal."""
        return about("z", 0.0 if self.way > 0 else 180.0) * about("y", self.angle)

    @property
    def _corner(self) -> FloatArray:
        """The middle (3,) of the upper edge of the lower end."""
        return np.array([0.1 * self.way, 0.0, self.end])
