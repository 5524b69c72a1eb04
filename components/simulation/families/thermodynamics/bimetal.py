"""Bimetal: a strip of two metals, clamped at one end, through which a current begins to run."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import describe
from components.simulation.props.clamps import CLAMP, Clamped, Mount
from components.simulation.props.metals import EXPANDING, bonded
from components.simulation.props.words import CLAMPED, COLOURS, CURRENT
from components.simulation.scene import Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

TURN = {"lying": (-12.0, 12.0), "standing": (20.0, 40.0), "hanging": (20.0, 40.0)}  # degrees: shows the broad side
WIDTH = (0.4, 0.6)  # metres
LOW, HIGH = (0.55, 0.8), (1.5, 1.8)  # metres to a lying strip: whose second metal is above, and below
BEAM = (1.85, 2.0)  # metres up to where a hanging strip is clamped
HEATED = {"the whole strip": (0.0, 1.0), "its clamped part": (0.0, 0.65), "its free part": (0.35, 1.0)}  # of the length


@dataclass(frozen=True, kw_only=True)
class Bimetal(Clamped):
    """Metres, degrees and K/s; heated: of HEATED; height: of where it is clamped."""

    metal: str
    length: float
    width: float
    thickness: float
    rate: float
    heated: str
    height: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw metals, sizes and how the strip is mounted."""
        ranges = simulation.thermodynamics
        mount: Mount = ("lying", "standing", "hanging")[int(rng.integers(3))]
        way = int(rng.choice([-1, 1]))
        heights = {"lying": LOW if way > 0 else HIGH, "standing": (2 * CLAMP, 2 * CLAMP), "hanging": BEAM}[mount]
        return cls(
            mount=mount,
            metal=str(rng.choice(list(EXPANDING))),
            length=float(rng.uniform(*ranges.length)),
            width=float(rng.uniform(*WIDTH)),
            thickness=float(rng.uniform(*ranges.thickness)),
            rate=float(rng.uniform(*ranges.rate)),
            heated=str(rng.choice(list(HEATED))),
            way=way,
            free=int(rng.choice([-1, 1])),
            turn=float(rng.uniform(*TURN[mount]) * rng.choice([-1.0, 1.0])),
            height=float(rng.uniform(*heights)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """A strip that is turned a little otherwise, and heats up at another rate."""
        turn, rate = np.clip(rng.normal(1.0, spread, size=2), 0.5, 1.5).tolist()
        return replace(self, turn=self.turn * turn, rate=self.rate * rate)

    def bodies(self) -> tuple[Thing, ...]:
        """The strip, its clamp, and what carries the clamp."""
        root = self.root(self.length, self.height)
        size = (self.length, self.width, self.thickness)
        heated, directions = HEATED[self.heated], self.directions
        strip = bonded(self.metal, root=root, directions=directions, size=size, rate=self.rate, heated=heated)
        return (*self.clamp(root, width=self.width), strip)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The strip, its metals and on which side they are, and the current."""
        free, lower = self.sides(extrinsics)
        words = {"metal": self.metal, "length": self.length, "free": free, "lower": lower, "part": self.heated}
        wordings = [CLAMPED[self.mount], CURRENT, COLOURS]
        return describe(rng, extrinsics, wordings, [("strip", self.bodies()[-1])], **words)
