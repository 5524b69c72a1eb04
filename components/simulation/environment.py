"""Light, sky and floor."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.scene import Body, Environment, Light, Pattern, Shape, Texture

if TYPE_CHECKING:
    from components.parameters.simulation import EnvironmentParams

FLOOR_EXTENT, FLOOR_DEPTH = 60.0, 0.5  # half extents in metres
ZENITH = (0.7, 0.75, 0.8)  # over the horizon: darker and a little bluer


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What was drawn of a scene's surroundings: angles in degrees, greys as linear reflectance, metres."""

    ambient: float
    light_elevation: float
    light_azimuth: float
    floor_pattern: Pattern
    floor_grey: float
    floor_contrast: float
    floor_scale: float
    sky: float

    @classmethod
    def draw(cls, rng: np.random.Generator, ranges: "EnvironmentParams") -> Self:
        """Draw from the ranges."""
        return cls(
            ambient=float(rng.uniform(*ranges.ambient)),
            light_elevation=float(rng.uniform(*ranges.light_elevation)),
            light_azimuth=float(rng.uniform(*ranges.light_azimuth)),
            floor_pattern=Pattern(str(rng.choice(list(ranges.floor_patterns)))),
            floor_grey=float(rng.uniform(*ranges.floor_grey)),
            floor_contrast=float(rng.uniform(*ranges.floor_contrast)),
            floor_scale=float(rng.uniform(*ranges.floor_scale)),
            sky=float(rng.uniform(*ranges.sky)),
        )

    def environment(self) -> Environment:
        """One light; it and the ambient light together just light a surface that faces it fully."""
        turn, rise = np.radians(self.light_azimuth), np.radians(self.light_elevation)
        direction = (np.sin(turn) * np.cos(rise), -np.cos(turn) * np.cos(rise), np.sin(rise))
        light = Light(
            direction=(float(direction[0]), float(direction[1]), float(direction[2])), intensity=1.0 - self.ambient
        )
        return Environment(
            lights=(light,),
            ambient=self.ambient,
            horizon_colour=(self.sky, self.sky, self.sky),
            zenith_colour=(self.sky * ZENITH[0], self.sky * ZENITH[1], self.sky * ZENITH[2]),
        )

    def floor(self) -> Body:
        """A static box whose top is the plane z = 0; its restitution and friction leave those of objects unchanged."""
        grey, dark = self.floor_grey, self.floor_grey * self.floor_contrast
        return Body(
            name="floor",
            shape=Shape.BOX,
            size=(FLOOR_EXTENT, FLOOR_EXTENT, FLOOR_DEPTH),
            texture=Texture(
                pattern=self.floor_pattern,
                colour=(grey, grey, grey),
                second_colour=(dark, dark, dark),
                scale=self.floor_scale,
            ),
            position=(0.0, 0.0, -FLOOR_DEPTH),
            restitution=1.0,
            friction=1.0,
        )
