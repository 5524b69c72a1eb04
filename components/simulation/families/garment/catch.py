"""Catch: a ball let go above a cloth that is held by its corners."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from components.simulation.captions import article, choose, write_captions
from components.simulation.props.fabric import Fabric, rod
from components.simulation.props.light_ball import LightBall
from components.simulation.props.looks import draw_colours
from components.simulation.rotations import about
from components.simulation.scene import Captions, FloatArray, Thing
from components.simulation.things.sheet import THICKNESS

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

LEVEL = (0.8, 1.0)  # metres of the corners above the floor: the cloth sinks by half of it
YAW = (15.0, 35.0)  # degrees: no post stands before another
OFFSET = 0.15  # of the side at most, from above the middle
POST, CORNER = 0.03, 0.11  # metres: radius of a post; how far in from a corner the cloth is held
GREY = (0.15, 0.3)
PLACE = (
    "{ball} {gap:.1f} metres above {cloth} cloth that hangs between four grey posts.",
    "{cloth} cloth is fixed by its corners to four grey posts, and {gap:.1f} metres above it is {ball}.",
    "four grey posts hold {cloth} cloth by its corners; {ball} is {gap:.1f} metres over it.",
    "over {cloth} cloth, held at its four corners by posts, {ball} in the air, {gap:.1f} metres higher.",
)


@dataclass(frozen=True, kw_only=True)
class Catch:
    """The cloth's corners are at `level`; the ball's lowest point begins `gap` above them, `offset` from the middle."""

    fabric: Fabric
    ball: LightBall
    size: float
    level: float
    yaw: float
    gap: float
    offset: tuple[float, float]
    grey: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the cloth and the ball."""
        ranges = simulation.garment
        colour, other = draw_colours(rng, 2)
        size = float(rng.uniform(*ranges.size))
        shift = rng.uniform(-OFFSET, OFFSET, size=2) * size
        return cls(
            fabric=Fabric.draw(rng, ranges, colour),
            ball=LightBall.draw(rng, physics, radius=ranges.ball_radius, density=ranges.ball_density, colour=other),
            size=size,
            level=float(rng.uniform(*LEVEL)),
            yaw=float(rng.uniform(*YAW)),
            gap=float(rng.uniform(*ranges.drop_height)),
            offset=(float(shift[0]), float(shift[1])),
            grey=float(rng.uniform(*GREY)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The ball a little higher or lower, and aside."""
        x, y, gap = rng.normal(1.0, spread, size=3).tolist()
        return replace(self, offset=(self.offset[0] * x, self.offset[1] * y), gap=self.gap * max(gap, 0.5))

    def bodies(self) -> tuple[Thing, ...]:
        """Four posts, the cloth and the ball."""
        turn = about("z", self.yaw)

        def place(flat: FloatArray) -> FloatArray:
            return np.asarray(turn.apply(flat) + np.array([0.0, 0.0, self.level]), np.float64)

        def held(flat: FloatArray) -> NDArray[np.bool_]:
            from_corner = self.size / 2 - np.abs(flat[:, :2])
            return np.asarray(from_corner.sum(axis=1) < CORNER, np.bool_)

        half = self.size / 2 + POST
        corners = turn.apply([[x * half, y * half, self.level / 2] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
        posts = tuple(
            rod("post", radius=POST, length=self.level, position=(x, y, z), grey=self.grey, assembly="frame")
            for x, y, z in corners.tolist()
        )
        height = self.level + THICKNESS + self.gap + self.ball.radius
        cloth = self.fabric.sheet("cloth", size=(self.size, self.size), place=place, pinned=held, assembly="frame")
        return (*posts, cloth, self.ball.body((*self.offset, height)))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The cloth and the ball above it."""
        words = {"cloth": article(self.fabric.phrase), "ball": article(self.ball.phrase), "gap": self.gap}
        things = list(zip((f"{self.fabric.phrase} cloth", self.ball.phrase), self.bodies()[-2:], strict=True))
        sentence = choose(rng, PLACE).format(**words)
        return write_captions(rng, extrinsics=extrinsics, sentences=[sentence], objects=things)
