"""Drape: a flat cloth let go above a grey ball, box or column, over which it falls and hangs in folds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.families.starts import Above, draw_offset, draw_place
from components.simulation.props.fabric import Fabric
from components.simulation.props.hangings import spread_out
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import NOUNS, draw_velocity
from components.simulation.props.stands import plinth, plinth_height, plinth_size
from components.simulation.rotations import about
from components.simulation.scene import Captions, FloatArray, Shape, Thing, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

RADIUS, HEIGHT = (0.32, 0.45), (0.7, 1.0)  # metres: the cloth hangs down on every side and hardly reaches the floor
REACH = (0.7, 0.3)  # metres from the middle to the obstacle; along the front view less
OFFSET = 0.15  # of the cloth's side at most, from above the obstacle's middle
GREY = (0.15, 0.3)
PLACE = (
    "a square {cloth} cloth is flat in the air {gap:.1f} metres above a grey {obstacle}.",
    "a grey {obstacle}, and {gap:.1f} metres above it a flat square cloth of {cloth}.",
    "{article} cloth, {size:.1f} metres wide, spread out in the air {gap:.1f} metres over a grey {obstacle}.",
    "above a grey {obstacle} on the floor, {gap:.1f} metres higher, {article} cloth lies flat in the air.",
)


@dataclass(frozen=True, kw_only=True)
class Drape(Above):
    """Obstacle as in `Shape`, at `place`; the cloth's centre is `offset` from above it, turned by yaw degrees."""

    fabric: Fabric
    size: float
    shape: Shape
    obstacle: Vec3
    place: tuple[float, float]
    yaw: float
    grey: float
    velocity: Vec3

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the cloth and what it falls on."""
        ranges = simulation.garment
        (colour,) = draw_colours(rng, 1)
        shape = Shape(rng.choice(list(Shape)))
        radius, height, size = (float(rng.uniform(*bounds)) for bounds in (RADIUS, HEIGHT, ranges.size))
        return cls(
            place=draw_place(rng, REACH),
            offset=draw_offset(rng, OFFSET, (size, size)),
            fabric=Fabric.draw(rng, ranges, colour),
            size=size,
            shape=shape,
            obstacle=plinth_size(shape, radius=radius, height=height),
            gap=float(rng.uniform(*ranges.gap)),
            yaw=float(rng.uniform(0.0, 90.0)),
            grey=float(rng.uniform(*GREY)),
            velocity=draw_velocity(rng, physics.initial_speed),
        )

    def bodies(self) -> tuple[Thing, ...]:
        """The obstacle and the cloth."""
        turn, top = about("z", self.yaw), plinth_height(self.shape, self.obstacle)
        centre = np.array([self.place[0] + self.offset[0], self.place[1] + self.offset[1], top + self.gap])
        obstacle = plinth(NOUNS[self.shape], self.shape, self.obstacle, self.place, turn=turn, grey=self.grey)
        cloth = spread_out(self.fabric, size=self.size, centre=centre, turn=turn, velocity=self.velocity)
        return (obstacle, cloth)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The cloth and what is under it."""
        phrase, cloth = self.fabric.phrase, self.bodies()[-1]
        words = {"cloth": phrase, "article": article(phrase), "gap": self.gap, "size": self.size}
        return describe(rng, extrinsics, [PLACE], [(f"{phrase} cloth", cloth)], **words, obstacle=NOUNS[self.shape])
