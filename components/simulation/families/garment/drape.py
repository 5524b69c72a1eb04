"""Drape: a flat cloth let go above a grey ball, box or column, over which it falls and hangs in folds."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, choose, write_captions
from components.simulation.props.fabric import Fabric, plain_grey
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import NOUNS, draw_velocity
from components.simulation.rotations import about, quaternion
from components.simulation.scene import Body, Captions, FloatArray, Shape, Thing, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

RADIUS, HEIGHT = (0.32, 0.45), (0.7, 1.0)  # metres: the cloth hangs down on every side and hardly reaches the floor
REACH = (0.7, 0.3)  # metres from the middle to the obstacle; along the front view less
OFFSET = 0.15  # of the cloth's side at most, from above the obstacle's middle
GREY = (0.15, 0.3)
RIPPLE, WAVE = 0.015, 0.7  # metres of height and length: a cloth is never quite flat, and folds begin somewhere
PLACE = (
    "a square {cloth} cloth is flat in the air {gap:.1f} metres above a grey {obstacle}.",
    "a grey {obstacle}, and {gap:.1f} metres above it a flat square cloth of {cloth}.",
    "{article} cloth, {size:.1f} metres wide, spread out in the air {gap:.1f} metres over a grey {obstacle}.",
    "above a grey {obstacle} on the floor, {gap:.1f} metres higher, {article} cloth lies flat in the air.",
)


@dataclass(frozen=True, kw_only=True)
class Drape:
    """Obstacle as in `Shape`, at `place`; the cloth's centre is `offset` from above it, turned by yaw degrees."""

    fabric: Fabric
    size: float
    shape: Shape
    obstacle: Vec3
    place: tuple[float, float]
    offset: tuple[float, float]
    gap: float
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
        x, y = (float(rng.uniform(-reach, reach)) for reach in REACH)
        shift = rng.uniform(-OFFSET, OFFSET, size=2) * size
        return cls(
            fabric=Fabric.draw(rng, ranges, colour),
            size=size,
            shape=shape,
            obstacle={
                Shape.SPHERE: (height / 2, 0.0, 0.0),
                Shape.BOX: (radius, radius, height / 2),
                Shape.CYLINDER: (radius, height, 0.0),
            }[shape],
            place=(x, y),
            offset=(float(shift[0]), float(shift[1])),
            gap=float(rng.uniform(*ranges.gap)),
            yaw=float(rng.uniform(0.0, 90.0)),
            grey=float(rng.uniform(*GREY)),
            velocity=draw_velocity(rng, physics.initial_speed),
        )

    @property
    def top(self) -> float:
        """Height of the obstacle in metres."""
        return self.obstacle[1] if self.shape is Shape.CYLINDER else 2 * max(self.obstacle[0::2])

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The cloth a little higher or lower, and aside."""
        x, y, gap = rng.normal(1.0, spread, size=3).tolist()
        return replace(self, offset=(self.offset[0] * x, self.offset[1] * y), gap=self.gap * max(gap, 0.5))

    def bodies(self) -> tuple[Thing, ...]:
        """The obstacle and the cloth."""
        turn = about("z", self.yaw)
        centre = np.array([self.place[0] + self.offset[0], self.place[1] + self.offset[1], self.top + self.gap])

        def place(flat: FloatArray) -> FloatArray:
            wave = RIPPLE * (1 + np.sin(2 * np.pi * (flat[:, 0] + 0.3 * flat[:, 1]) / WAVE))
            return np.asarray(turn.apply(flat) + centre + wave[:, None] * np.array([0.0, 0.0, 1.0]), np.float64)

        obstacle = Body(
            name=NOUNS[self.shape],
            shape=self.shape,
            size=self.obstacle,
            texture=plain_grey(self.grey),
            position=(*self.place, self.top / 2),
            orientation=quaternion(turn),
            restitution=1.0,
            friction=1.0,
        )
        return (obstacle, self.fabric.sheet("cloth", size=(self.size, self.size), place=place, velocity=self.velocity))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The cloth and what is under it."""
        phrase, cloth = self.fabric.phrase, self.bodies()[-1]
        words = {"cloth": phrase, "article": article(phrase), "gap": self.gap, "size": self.size}
        sentence = choose(rng, PLACE).format(**words, obstacle=NOUNS[self.shape])
        return write_captions(rng, extrinsics=extrinsics, sentences=[sentence], objects=[(f"{phrase} cloth", cloth)])
