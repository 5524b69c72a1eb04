"""Flag: a cloth on a grey pole, spread out, let go in a wind that sways."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, choose, side, write_captions
from components.simulation.props.fabric import DRAG, Fabric, rod
from components.simulation.props.looks import draw_colours
from components.simulation.rotations import about, vec3
from components.simulation.scene import Captions, FloatArray, Thing, Vec3
from components.simulation.things.membrane import Air

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

POLE_RADIUS, POLE_HEIGHT = 0.035, 2.6  # metres
RATIO = (0.6, 0.75)  # height over length
YAW = (-30.0, 30.0)  # degrees of the wind from across the front view
SWAY, PERIOD = (12.0, 25.0), (0.7, 1.3)  # degrees and seconds: gusts from either side, one or two in a clip
RISE = 0.4  # seconds within which the wind gets up: at frame 0 the air is at rest too
RIPPLE, WAVES = 0.03, 1.5  # metres; periods along the flag
GREY = (0.15, 0.3)
PLACE = (
    "{article} flag on a grey pole, in a wind of {wind:.0f} m/s to the {side}.",
    "a grey pole with {article} flag; the wind blows to the {side} at {wind:.0f} m/s.",
    "in a wind that blows to the {side} at {wind:.0f} m/s, {article} flag is spread out from a grey pole.",
    "wind of {wind:.0f} m/s to the {side}, and {article} flag fixed to a grey pole by one edge.",
)
SWAYS = "the wind swings by {sway:.0f} degrees to either side every {period:.1f} seconds."


@dataclass(frozen=True, kw_only=True)
class Flag:
    """wind in m/s; yaw: where it blows, degrees from +x; sway and period as in `Air`; ripple in metres."""

    fabric: Fabric
    size: tuple[float, float]
    wind: float
    yaw: float
    sway: float
    period: float
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

    @property
    def way(self) -> Vec3:
        """Unit vector down the wind."""
        return vec3(about("z", self.yaw).apply([1.0, 0.0, 0.0]))

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Another ripple, and a flag that is turned a little."""
        ripple, turn = rng.normal(1.0, spread, size=2).tolist()
        return replace(self, ripple=self.ripple * ripple, yaw=self.yaw + 90.0 * (turn - 1.0))

    def bodies(self) -> tuple[Thing, ...]:
        """The pole and the flag, whose edge at the pole never moves."""
        length, height = self.size
        foot = -np.array(self.way) * length / 2

        def place(flat: FloatArray) -> FloatArray:
            out = flat[:, 0] + length / 2
            wave = self.ripple * np.sin(2 * np.pi * WAVES * out / length) * out / length
            level = POLE_HEIGHT - height / 2 - POLE_RADIUS + flat[:, 1]
            return np.asarray(
                about("z", self.yaw).apply(np.stack([out + POLE_RADIUS, wave, level], axis=1)) + foot, np.float64
            )

        pole = rod(
            "pole",
            radius=POLE_RADIUS,
            length=POLE_HEIGHT,
            position=(float(foot[0]), float(foot[1]), POLE_HEIGHT / 2),
            grey=self.grey,
            assembly="flag",
        )
        x, y, _ = self.way
        wind = (x * self.wind, y * self.wind, 0.0)
        cloth = self.fabric.sheet(
            "flag",
            size=self.size,
            place=place,
            pinned=lambda flat: np.asarray(flat[:, 0] < -length / 2 + 1e-9, np.bool_),
            air=Air(drag=DRAG, wind=wind, sway=self.sway, period=self.period, rise=RISE),
            assembly="flag",
        )
        return (pole, cloth)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The flag and the wind."""
        phrase, flag = self.fabric.phrase, self.bodies()[-1]
        words = {"article": article(phrase), "wind": self.wind, "side": side(extrinsics, flag.position, self.way)}
        sentences = [choose(rng, PLACE).format(**words), SWAYS.format(sway=self.sway, period=self.period)]
        return write_captions(rng, extrinsics=extrinsics, sentences=sentences, objects=[(f"{phrase} flag", flag)])
