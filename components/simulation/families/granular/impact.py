"""Impact: a heavy ball in the air above a heap of grains."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, choose, write_captions
from components.simulation.props.grains import block, draw_name, grains, radius_for
from components.simulation.props.looks import coloured, draw_colours
from components.simulation.scene import Body, Captions, FloatArray, Pattern, Shape, Thing, Vec3

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
class Impact:
    """Metres, kg/m^3, m/s; size: of the heap; position: the ball's centre."""

    colours: tuple[str, str]
    name: str
    radius: float
    friction: float
    size: Vec3
    ball_radius: float
    ball_density: float
    position: Vec3
    velocity: Vec3
    seed: int

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a heap, and a heavy ball above it."""
        ranges = simulation.granular
        x, y, z = (float(rng.uniform(*bounds)) for bounds in HEAP)
        ball, heap = draw_colours(rng, 2)
        ball_radius = float(rng.uniform(*ranges.ball_radius))
        speed, way = float(rng.uniform(*physics.initial_speed)), float(rng.uniform(0.0, np.pi))
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
            velocity=(speed * float(np.cos(way)) + 0.0, 0.0, speed * float(np.sin(way)) + 0.0),
            seed=int(rng.integers(2**31)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The ball a little aside, and higher or lower by at most half of its clearance; other disorder in the heap."""
        (x, _, z), (fx, fz) = self.position, rng.normal(1.0, spread, size=2).tolist()
        place = (x * fx, 0.0, max(z * fz, z - self._clearance / 2))
        return replace(self, position=place, seed=int(rng.integers(2**31)))

    def bodies(self) -> tuple[Thing, ...]:
        """The heap and the ball."""
        points = block(self.size, self.radius, np.random.default_rng(self.seed))
        heap = grains(points, colour=self.colours[1], name=self.name, radius=self.radius, friction=self.friction)
        ball = Body(
            name=f"{self.colours[0]} ball",
            shape=Shape.SPHERE,
            size=(self.ball_radius, 0.0, 0.0),
            texture=coloured(self.colours[0], Pattern.PLAIN),
            position=self.position,
            velocity=self.velocity,
            mass=self.ball_density * 4 / 3 * np.pi * self.ball_radius**3,
            material="steel",
            restitution=0.2,
            friction=0.8,
        )
        return (heap, ball)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ball, its height, and the heap."""
        heap, ball = self.bodies()
        grain, phrase = f"{self.colours[1]} {self.name}", f"{self.colours[0]} steel ball"
        sentence = choose(rng, PLACE).format(ball=article(phrase), clearance=self._clearance, thing=grain)
        objects = [(phrase, ball), (grain, heap)]
        return write_captions(rng, extrinsics=extrinsics, sentences=[sentence], objects=objects)

    @property
    def _clearance(self) -> float:
        return self.position[2] - self.ball_radius - self.size[2]
