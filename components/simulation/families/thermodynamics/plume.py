"""Plume: puffs of warm or cold smoke in the still air of a tank."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import describe, side
from components.simulation.props.liquids import glass_tank
from components.simulation.props.puffs import Puff, draw_puffs
from components.simulation.props.words import COLOURS, SMOKE
from components.simulation.scene import Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

TANK = ((2.2, 2.8), (1.1, 1.4), (2.1, 2.3))  # metres: length, width, height
MOTE = (0.42, 0.5)  # of the distance of motes: their radius


@dataclass(frozen=True, kw_only=True)
class Plume:
    """Metres; tank: length, width, height; motes: of every puff, seed: of their places."""

    tank: tuple[float, float, float]
    puffs: tuple[Puff, ...]
    motes: int
    mote: float
    seed: int

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a tank and one or two puffs, warm ones near its base and cold ones under its lid."""
        ranges = simulation.thermodynamics
        length, width, height = (float(rng.uniform(*bounds)) for bounds in TANK)
        puffs = draw_puffs(rng, ranges, length=length, height=height)
        low, high = ranges.motes
        return cls(
            tank=(length, width, height),
            puffs=puffs,
            motes=int(rng.integers(low, high + 1)),
            mote=float(rng.uniform(*MOTE)),
            seed=int(rng.integers(2**31)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Puffs a little warmer or colder, and a little aside."""
        return replace(self, puffs=tuple(puff.perturbed(rng, spread, self.tank[0]) for puff in self.puffs))

    def bodies(self) -> tuple[Thing, ...]:
        """The tank and the puffs."""
        names = ["puff of smoke"] if len(self.puffs) == 1 else ["left puff of smoke", "right puff of smoke"]
        return (
            glass_tank(self.tank),
            *(
                puff.smoke(name, motes=self.motes, mote=self.mote, seed=self.seed)
                for name, puff in zip(names, self.puffs, strict=True)
            ),
        )

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The puffs, and how warm they are."""
        first, last = self.puffs[0], self.puffs[-1]
        where = side(extrinsics, (0.0, 0.0, 1.0), (-1.0, 0.0, 0.0))
        objects = [(thing.name, thing) for thing in self.bodies()[1:]]
        words = {"how": first.words, "then": last.words, "first": where}
        return describe(rng, extrinsics, [SMOKE[len(self.puffs)], COLOURS], objects, **words)
