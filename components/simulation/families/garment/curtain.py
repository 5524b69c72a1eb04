"""Curtain: a ball let go on a ramp, at whose foot a cloth hangs from a rod."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, choose, side, write_captions
from components.simulation.props.fabric import Fabric, rod
from components.simulation.props.incline import Incline
from components.simulation.props.light_ball import LightBall
from components.simulation.props.looks import draw_colours
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

ANGLE = (24.0, 34.0)  # degrees: the ball is at the curtain within a second or so
YAW = (25.0, 40.0)  # degrees from across the front view, so that the curtain's face is seen
DISTANCE = (1.2, 1.9)  # metres up the slope
AWAY = (0.35, 0.6)  # metres from the ramp's foot to the curtain
CLEARANCE = (0.03, 0.15)  # metres under the curtain
HEIGHT = (1.1, 1.4)  # of the curtain
RIPPLE = 0.02  # metres of the folds at frame 0
ROD = 0.03  # metres
GREY = (0.15, 0.25)
PLACE = (
    "{ball} on a grey ramp that slopes down to the {side}, towards {cloth} curtain on a rod.",
    "{cloth} curtain hangs from a rod on the {side} of a grey ramp, and {ball} is on the ramp.",
    "on a ramp of {angle:.0f} degrees, lower on the {side}, {ball}; beyond its foot {cloth} curtain.",
    "a ramp slopes down to the {side} at {angle:.0f} degrees, with {ball} on it; {cloth} curtain hangs at its foot.",
)


@dataclass(frozen=True, kw_only=True)
class Curtain:
    """Slope as in `Incline`; `distance` of the ball up it; the curtain hangs `away` from its foot."""

    fabric: Fabric
    ball: LightBall
    width: float
    height: float
    clearance: float
    angle: float
    yaw: float
    distance: float
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

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The ball a little further up or down."""
        return replace(self, distance=self.distance * float(rng.normal(1.0, spread)))

    def bodies(self) -> tuple[Thing, ...]:
        """The ramp, the rod, the curtain and the ball."""
        slope = Incline(angle=self.angle, yaw=self.yaw)
        across = about("z", self.yaw) * about("z", 90.0)  # x along the rod
        top = slope.foot + about("z", self.yaw).apply([self.away, 0.0, self.clearance + self.height])

        def place(flat: FloatArray) -> FloatArray:
            wave = RIPPLE * np.sin(2 * np.pi * 3 * flat[:, 0] / self.width)
            hung = np.stack([flat[:, 0], wave, flat[:, 1] - self.height / 2], axis=1)
            return np.asarray(across.apply(hung) + top, np.float64)

        rail = rod(
            "rod", radius=ROD, length=self.width + 0.2, position=vec3(top), grey=self.grey, lying=True, assembly="rod"
        )
        rail = replace(rail, orientation=quaternion(across * about("y", 90.0)))
        cloth = self.fabric.sheet(
            "curtain",
            size=(self.width, self.height),
            place=place,
            pinned=lambda flat: np.asarray(flat[:, 1] > self.height / 2 - 1e-9, np.bool_),
            assembly="rod",
        )
        ball = slope.place(distance=self.distance, offset=0.0, height=self.ball.radius)
        return (slope.body(grey=self.grey, friction=1.0), rail, cloth, self.ball.body(vec3(ball)))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ramp with the ball, and the curtain."""
        slope = Incline(angle=self.angle, yaw=self.yaw)
        lower = side(extrinsics, vec3(slope.foot), vec3(slope.downhill))
        words = {"cloth": article(self.fabric.phrase), "ball": article(self.ball.phrase), "side": lower}
        sentence = choose(rng, PLACE).format(**words, angle=self.angle)
        things = list(zip((f"{self.fabric.phrase} curtain", self.ball.phrase), self.bodies()[-2:], strict=True))
        return write_captions(rng, extrinsics=extrinsics, sentences=[sentence], objects=things)
