"""Descent: a ball let go on a ramp, and the floor that lies ahead of it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from components.simulation.props.incline import Incline
from components.simulation.props.objects import RigidObject, draw_object
from components.simulation.rotations import vec3
from components.simulation.scene import Body, FloatArray, Shape, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

BALL = (0.55, 0.75)  # over the radius of the category's balls: room for a ramp and for what is ahead
YAW = (-6.0, 6.0)  # degrees around straight across the front view
DISTANCE = (0.7, 1.4)  # metres up the slope: the ball is on the floor after about a second
BACK = 0.75  # metres that the ramp stands back from the middle, up its slope
GREY = (0.15, 0.25)  # linear reflectance of the ramp
FRICTION = 1.0  # of the ramp: the ball rolls


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Slope as in `Incline`, BACK from the middle; the ball begins `distance` metres up the slope."""

    ball: RigidObject
    angle: float
    yaw: float
    distance: float
    grey: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics", colour: str) -> "Descent":
        """Draw the ramp and the ball."""
        ranges = simulation.rigid
        size = (float(rng.uniform(*ranges.radius) * rng.uniform(*BALL)), 0.0, 0.0)
        return cls(
            ball=draw_object(rng, ranges, physics, shape=Shape.SPHERE, size=size, colour=colour),
            angle=float(rng.uniform(*ranges.ramp_angle)),
            yaw=float(rng.choice([0.0, 180.0]) + rng.uniform(*YAW)),
            distance=float(rng.uniform(*DISTANCE)),
            grey=float(rng.uniform(*GREY)),
        )

    def scaled(self, factor: float) -> "Descent":
        """From another distance."""
        return replace(self, distance=self.distance * factor)

    @property
    def downhill(self) -> Vec3:
        """The level unit vector down the slope."""
        return (float(np.cos(np.radians(self.yaw))), float(np.sin(np.radians(self.yaw))), 0.0)

    @property
    def foot(self) -> Vec3:
        """The middle of the ramp's lower edge, on the floor."""
        return self.ahead(0.0)

    def ahead(self, distance: float, aside: float = 0.0, height: float = 0.0) -> Vec3:
        """The point `distance` ahead of the foot, `aside` to the left of the way and `height` above the floor."""
        x, y, _ = self.downhill
        foot: FloatArray = self._slope.foot - BACK * np.array(self.downhill)
        return vec3(foot + np.array([distance * x - aside * y, distance * y + aside * x, height]))

    def bodies(self) -> tuple[Body, Body]:
        """The ramp and the ball on it."""
        ramp = self._slope.body(grey=self.grey, friction=FRICTION)
        place = self._slope.place(distance=self.distance, offset=0.0, height=self.ball.size[0])
        ball = self.ball.body(position=vec3(place - BACK * np.array(self.downhill)))
        return (replace(ramp, position=vec3(np.array(ramp.position) - BACK * np.array(self.downhill))), ball)

    @property
    def _slope(self) -> Incline:
        return Incline(angle=self.angle, yaw=self.yaw)
