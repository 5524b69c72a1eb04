"""Balls light enough for cloth and inflatables to stop."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from components.simulation.props.looks import coloured
from components.simulation.props.objects import draw_velocity, volume
from components.simulation.scene import Body, Pattern, Shape, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics

FRICTION = 0.6
MATERIALS = {"foam": Pattern.NOISE, "plastic": Pattern.STRIPES, "rubber": Pattern.CHECKER}


@dataclass(frozen=True, kw_only=True)
class LightBall:
    """A hollow or foamed ball without its place: metres, kg/m^3, m/s."""

    radius: float
    colour: str
    material: str
    density: float
    restitution: float
    velocity: Vec3

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        physics: "Physics",
        *,
        radius: tuple[float, float],
        density: tuple[float, float],
        colour: str,
    ) -> "LightBall":
        """Draw from the ranges of a category."""
        return cls(
            radius=float(rng.uniform(*radius)),
            colour=colour,
            material=str(rng.choice(list(MATERIALS))),
            density=float(rng.uniform(*density)),
            restitution=float(rng.uniform(*physics.restitution)),
            velocity=draw_velocity(rng, physics.initial_speed),
        )

    @property
    def phrase(self) -> str:
        """Colour and material."""
        return f"{self.colour} {self.material} ball"

    def body(self, position: Vec3) -> Body:
        """The ball at a place."""
        size = (self.radius, 0.0, 0.0)
        return Body(
            name=f"{self.colour} ball",
            shape=Shape.SPHERE,
            size=size,
            texture=coloured(self.colour, MATERIALS[self.material], scale=2 * self.radius),
            position=position,
            velocity=self.velocity,
            mass=self.density * volume(Shape.SPHERE, size),
            material=self.material,
            restitution=self.restitution,
            friction=FRICTION,
        )
