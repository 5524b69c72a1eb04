"""Impact: a heavy ball in the air above a heap of grains."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.props.grains import Packing, draw_name, radius_for, steel_ball
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import draw_upright_velocity
from components.simulation.scene import Captions, FloatArray, Thing, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

HEAP = ((0.9, 1.2), (0.6, 0.8), (0.35, 0.5))  # metres: along x, along y, height
OFFSET = 0.25  # metres between the middle of the heap and the ball above it, at most
PLACE = (
    "{ball} in the air, {clearance:.1f} metres above a heap of {thing}.",
    "{clearance:.1f} metres over {thing} that lie heaped on a grey floor there is {ball}.",
    "a grey floor with a flat heap of {thing}, and {clearance:.1f} metres above it {ball}.",
    "above a low block of {thing}, {clearance:.1f} metres up, {ball}.",
)


@dataclass(frozen=True, kw_only=True)
class Impact(Packing):
    """Metres, kg/m^3, m/s; size: of the heap; position: the ball's centre."""

    colours: tuple[str, str]
    size: Vec3
    ball_radius: float
    ball_density: float
    position: Vec3
    velocity: Vec3

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a heap, and a heavy ball above it."""
        ranges = simulation.granular
        x, y, z = (float(rng.uniform(*bounds)) for bounds in HEAP)
        ball, heap = draw_colours(rng, 2)
        ball_radius = float(rng.uniform(*ranges.ball_radius))
        velocity = draw_upright_velocity(rng, physics.initial_speed)
        height = z + ball_radius + float(rng.uniform(*ranges.drop_height))
        return cls(
            colours=(ball, heap),
            name=draw_name(rng),
            radius=radius_for(rng, ranges, volume=x * y * z),
            friction=float(rng.uniform(*ranges.friction)),
            size=(x, y, z),
            ball_radius=ball_radius,
            ball_density=float(rng.uniform(*ranges.ball_density)),
            position=(float(rng.uniform(-OFFSET, OFFSET)), 0.0, height),
            velocity=velocity,
            seed=int(rng.integers(2**31)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The ball a little aside, and higher or lower by at most half of its clearance; other disorder in the heap."""
        (x, _, z), (fx, fz) = self.position, rng.normal(1.0, spread, size=2).tolist()
        place = (x * fx, 0.0, max(z * fz, z - self._clearance / 2))
        return replace(self, position=place, seed=int(rng.integers(2**31)))

    def bodies(self) -> tuple[Thing, ...]:
        """The heap and the ball."""
        ball, heap = self.colours
        grains = self.grains(self.block(self.size), heap)
        return (grains, steel_ball(ball, self.ball_radius, self.ball_density, self.position, self.velocity))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ball, its height, and the heap."""
        grain, phrase = f"{self.colours[1]} {self.name}", f"{self.colours[0]} steel ball"
        objects = zip((grain, phrase), self.bodies(), strict=True)
        return describe(rng, extrinsics, [PLACE], objects, ball=article(phrase), clearance=self._clearance, thing=grain)

    @property
    def _clearance(self) -> float:
        return self.position[2] - self.ball_radius - self.size[2]
