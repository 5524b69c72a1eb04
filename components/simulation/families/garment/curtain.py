"""Curtain: a ball let go on a ramp, at whose foot a cloth hangs from a rod."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.families.starts import OnSlope
from components.simulation.props.fabric import Fabric
from components.simulation.props.hangings import hung_from_rod
from components.simulation.props.light_ball import LightBall
from components.simulation.props.looks import draw_colours
from components.simulation.rotations import about, vec3
from components.simulation.scene import Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

ANGLE = (24.0, 34.0)  # degrees: the ball is at the curtain within a second or so
YAW = (25.0, 40.0)  # degrees from across the front view, so that the curtain's face is seen
DISTANCE = (1.2, 1.9)  # metres up the slope
AWAY = (0.35, 0.6)  # metres from the ramp's foot to the curtain
CLEARANCE = (0.03, 0.15)  # metres under the curtain
HEIGHT = (1.1, 1.4)  # of the curtain
GREY = (0.15, 0.25)
PLACE = (
    "{ball} on a grey ramp that slopes down to the {side}, towards {cloth} curtain on a rod.",
    "{cloth} curtain hangs from a rod on the {side} of a grey ramp, and {ball} is on the ramp.",
    "on a ramp of {angle:.0f} degrees, lower on the {side}, {ball}; beyond its foot {cloth} curtain.",
    "a ramp slopes down to the {side} at {angle:.0f} degrees, with {ball} on it; {cloth} curtain hangs at its foot.",
)


@dataclass(frozen=True, kw_only=True)
class Curtain(OnSlope):
    """Slope as in `Incline`; `distance` of the ball up it; the curtain hangs `away` from its foot."""

    fabric: Fabric
    ball: LightBall
    width: float
    height: float
    clearance: float
    away: float
    grey: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw ramp, ball and curtain."""
        ranges = simulation.garment
        colour, other = draw_colours(rng, 2)
        yaw = float(rng.uniform(*YAW))
        return cls(
            fabric=Fabric.draw(rng, ranges, colour),
            ball=LightBall.draw(rng, physics, radius=ranges.ball_radius, density=ranges.ball_density, colour=other),
            width=float(rng.uniform(*ranges.size)),
            height=float(rng.uniform(*HEIGHT)),
            clearance=float(rng.uniform(*CLEARANCE)),
            angle=float(rng.uniform(*ANGLE)),
            yaw=yaw if rng.random() < 0.5 else 180.0 - yaw,
            distance=float(rng.uniform(*DISTANCE)),
            away=float(rng.uniform(*AWAY)),
            grey=float(rng.uniform(*GREY)),
        )

    def bodies(self) -> tuple[Thing, ...]:
        """The ramp, the rod, the curtain and the ball."""
        top = self.slope.foot + about("z", self.yaw).apply([self.away, 0.0, self.clearance + self.height])
        size = (self.width, self.height)
        hung = hung_from_rod(self.fabric, size=size, top=top, yaw=self.yaw, grey=self.grey)
        ball = self.slope.place(distance=self.distance, offset=0.0, height=self.ball.radius)
        return (self.slope.body(grey=self.grey, friction=1.0), *hung, self.ball.body(vec3(ball)))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ramp with the ball, and the curtain."""
        lower = self.slope.lower_side(extrinsics)
        words = {"cloth": article(self.fabric.phrase), "ball": article(self.ball.phrase), "side": lower}
        things = zip((f"{self.fabric.phrase} curtain", self.ball.phrase), self.bodies()[-2:], strict=True)
        return describe(rng, extrinsics, [PLACE], things, **words, angle=self.angle)
