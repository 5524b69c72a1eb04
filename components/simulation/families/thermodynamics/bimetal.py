"""Bimetal: a strip of two metals, clamped at one end, through which a current begins to run."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import choose, side, write_captions
from components.simulation.props.clamps import CLAMP, Mount, clamp
from components.simulation.props.heat_words import CLAMPED, COLOURS, CURRENT
from components.simulation.props.metals import COLD, DARK, EXPANDING, HOT, INVAR
from components.simulation.rotations import about, vec3
from components.simulation.scene import Captions, FloatArray, Thing
from components.simulation.things.strip import Strip

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

TURN = {"lying": (-12.0, 12.0), "standing": (20.0, 40.0), "hanging": (20.0, 40.0)}  # degrees: shows the broad side
WIDTH = (0.4, 0.6)  # metres
LOW, HIGH = (0.55, 0.8), (1.5, 1.8)  # metres to a lying strip: whose second metal is above, and below
BEAM = (1.85, 2.0)  # metres up to where a hanging strip is clamped
HEATED = {"the whole strip": (0.0, 1.0), "its clamped part": (0.0, 0.65), "its free part": (0.35, 1.0)}  # of the length


@dataclass(frozen=True, kw_only=True)
class Bimetal:
    """Metres, degrees and K/s; way: 1 where the strip bends towards +x, or up, -1 towards -x, or down.

    free: 1 where the free end of a lying strip is on the side of +x, -1 where of -x.
    """

    mount: Mount
    metal: str
    length: float
    width: float
    thickness: float
    rate: float
    heated: str
    way: int
    free: int
    turn: float
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
        turn = about("z", self.turn)
        along, towards = self._directions
        root = np.array([-self.free * self.length / 2, 0.0, self.height])
        root = turn.apply(root) if self.mount == "lying" else np.array([0.0, 0.0, self.height])
        held = clamp(self.mount, root - CLAMP * along, across=self.width / 2 + CLAMP, turn=turn)
        return (*held, self._strip(root, along, towards))

    def _strip(self, root: FloatArray, along: FloatArray, towards: FloatArray) -> Strip:
        first = EXPANDING[self.metal]
        density = (first.density + INVAR.density) / 2
        return Strip(
            name="bimetal strip",
            texture=DARK,
            position=vec3(root + self.length / 2 * along),
            mass=density * self.length * self.width * self.thickness,
            material=f"{self.metal} on invar",
            assembly="clamp",
            first=first,
            second=INVAR,
            root=vec3(root),
            along=vec3(along + 0.0),
            towards=vec3(towards + 0.0),
            length=self.length,
            width=self.width,
            thickness=self.thickness,
            cold=COLD,
            hot=HOT,
            rate=self.rate,
            heated=HEATED[self.heated],
        )

    @property
    def _directions(self) -> tuple[FloatArray, FloatArray]:
        """Unit vectors along the strip and towards its invar."""
        turn, x, z = about("z", self.turn), np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
        if self.mount == "lying":
            return turn.apply(self.free * x), self.way * z
        return (z if self.mount == "standing" else -z), turn.apply(self.way * x)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The strip, its metals and on which side they are, and the current."""
        along, towards = self._directions
        seen = {
            name: side(extrinsics, (0.0, 0.0, 1.0), vec3(way)) for name, way in (("free", along), ("side", -towards))
        }
        lower = ("lower" if self.way > 0 else "upper") if self.mount == "lying" else seen["side"]
        words = {"metal": self.metal, "length": self.length, "free": seen["free"], "lower": lower}
        sentences = [
            choose(rng, CLAMPED[self.mount]).format(**words),
            choose(rng, CURRENT).format(part=self.heated),
            choose(rng, COLOURS),
        ]
        return write_captions(rng, extrinsics=extrinsics, sentences=sentences, objects=[("strip", self.bodies()[-1])])
