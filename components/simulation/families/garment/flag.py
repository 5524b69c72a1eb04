"""Flag: a cloth on a grey pole, spread out, let go in a wind that sways."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe, side
from components.simulation.families.starts import InWind
from components.simulation.props.fabric import DRAG, Fabric
from components.simulation.props.hangings import flown_from_pole
from components.simulation.props.looks import draw_colours
from components.simulation.scene import Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

RATIO = (0.6, 0.75)  # height over length
YAW = (-30.0, 30.0)  # degrees of the wind from across the front view
SWAY, PERIOD = (12.0, 25.0), (0.7, 1.3)  # degrees and seconds: gusts from either side, one or two in a clip
RIPPLE = 0.03  # metres
GREY = (0.15, 0.3)
PLACE = (
    "{article} flag on a grey pole, in a wind of {wind:.0f} m/s to the {side}.",
    "a grey pole with {article} flag; the wind blows to the {side} at {wind:.0f} m/s.",
    "in a wind that blows to the {side} at {wind:.0f} m/s, {article} flag is spread out from a grey pole.",
    "wind of {wind:.0f} m/s to the {side}, and {article} flag fixed to a grey pole by one edge.",
)
SWAYS = "the wind swings by {sway:.0f} degrees to either side every {period:.1f} seconds."


@dataclass(frozen=True, kw_only=True)
class Flag(InWind):
    """wind in m/s; yaw: where it blows, degrees from +x; sway and period as in `Air`; ripple in metres."""

    fabric: Fabric
    size: tuple[float, float]
    ripple: float
    grey: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the flag and the wind; it begins at rest whatever `physics` says of initial speeds."""
        ranges = simulation.garment
        (colour,) = draw_colours(rng, 1)
        length = float(rng.uniform(*ranges.size))
        return cls(
            fabric=Fabric.draw(rng, ranges, colour),
            size=(length, length * float(rng.uniform(*RATIO))),
            wind=float(rng.uniform(*ranges.wind)),
            yaw=float(rng.choice([0.0, 180.0]) + rng.uniform(*YAW)),
            sway=float(rng.uniform(*SWAY)),
            period=float(rng.uniform(*PERIOD)),
            ripple=float(rng.choice([-1.0, 1.0]) * RIPPLE),
            grey=float(rng.uniform(*GREY)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Another ripple, and a flag that is turned a little."""
        ripple, turn = rng.normal(1.0, spread, size=2).tolist()
        return replace(self, ripple=self.ripple * ripple, yaw=self.yaw + 90.0 * (turn - 1.0))

    def bodies(self) -> tuple[Thing, ...]:
        """The pole and the flag, whose edge at the pole never moves."""
        return flown_from_pole(
            self.fabric, size=self.size, yaw=self.yaw, ripple=self.ripple, air=self.air(DRAG), grey=self.grey
        )

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The flag and the wind."""
        phrase, flag = self.fabric.phrase, self.bodies()[-1]
        words = {"article": article(phrase), "wind": self.wind, "sway": self.sway, "period": self.period}
        where = side(extrinsics, flag.position, self.way)
        return describe(rng, extrinsics, [PLACE, [SWAYS]], [(f"{phrase} flag", flag)], side=where, **words)
