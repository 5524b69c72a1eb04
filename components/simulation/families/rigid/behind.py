"""Behind: a ball on a ramp, and a box on the floor below: on its way, before it or beyond it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe, seen, side
from components.simulation.props.descent import Descent
from components.simulation.props.looks import draw_colours
from components.simulation.props.stands import static
from components.simulation.scene import Body, Captions, FloatArray, Shape, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

BOX = ((0.22, 0.32), (0.1, 0.2), (0.32, 0.45))  # metres, half extents: as wide and as high as the ball at least
AHEAD = (0.15, 0.4)  # metres between the foot of the ramp and the box
BESIDE = (0.12, 0.3)  # metres between the ball's way and the box, where it is beside it
SIDES: dict[str, float] = {"near": -1.0, "far": 1.0, "middle": 0.0}  # along y, away from the front view
CHANCES = (0.5, 0.25, 0.25)
PLACE = (
    "{thing} on a ramp of {angle:.0f} degrees, lower on the {side}; past its foot a grey box stands {where}.",
    "a ramp slopes down to the {side} at {angle:.0f} degrees with {thing} on it; past its foot, {where}, a grey box.",
    "a grey box stands past the foot of a ramp, {where}; on the ramp, lower on the {side}, there is {thing}.",
    "{thing} is on a ramp that slopes down to the {side}, and past the foot, {where}, stands a grey box.",
)


@dataclass(frozen=True, kw_only=True)
class Behind:
    """The box' half extents; `ahead` of the foot, `beside` the ball's way, on which of its sides; metres."""

    descent: Descent
    size: Vec3
    where: str  # of SIDES
    ahead: float
    beside: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the ball, the ramp and the box."""
        (colour,) = draw_colours(rng, 1)
        descent = Descent.draw(rng, simulation, physics, colour)
        wide, deep, high = (float(rng.uniform(*extent)) for extent in BOX)
        return cls(
            descent=descent,
            size=(max(wide, descent.ball.size[0]), deep, max(high, descent.ball.size[0])),
            where=str(rng.choice(list(SIDES), p=CHANCES)),
            ahead=float(rng.uniform(*AHEAD)),
            beside=float(rng.uniform(*BESIDE)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The ball a little further up or down."""
        return replace(self, descent=self.descent.scaled(float(rng.normal(1.0, spread))))

    def bodies(self) -> tuple[Body, ...]:
        """The ramp, the ball on it, and the box, which is part of the static world."""
        away = SIDES[self.where] * (self.descent.ball.size[0] + self.beside + self.size[1])
        x, y, _ = self.descent.ahead(self.ahead + self.size[0])
        return (*self.descent.bodies(), static("box", Shape.BOX, self.size, (x, y + away, self.size[2]), assembly=""))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The ball, the ramp and the box."""
        phrase, (_, ball, _) = self.descent.ball.phrase, self.bodies()
        depth = seen(extrinsics, self.descent.foot, (0.0, SIDES[self.where], 0.0))[1]
        where = "straight ahead" if not depth else "further away" if depth > 0 else "nearer to the camera"
        lower = side(extrinsics, self.descent.foot, self.descent.downhill)
        words = {"thing": article(phrase), "angle": self.descent.angle, "side": lower, "where": where}
        return describe(rng, extrinsics, [PLACE], [(phrase, ball)], **words)
