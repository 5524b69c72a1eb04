"""Plume: puffs of warm or cold smoke in the still air of a tank."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import choose, side, write_captions
from components.simulation.props.heat_words import COLOURS
from components.simulation.props.liquids import glass_tank
from components.simulation.props.puffs import Puff
from components.simulation.scene import Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

TANK = ((2.2, 2.8), (1.1, 1.4), (2.1, 2.3))  # metres: length, width, height
MARGIN = 0.06  # metres between a puff and the panes at least
COLD_SHARE = 0.3  # of puffs
LIFT = (0.0, 0.15)  # metres: how far beyond the margin a warm puff is above the base, or a cold one under the lid
MOTE = (0.42, 0.5)  # of the distance of motes: their radius
PLACE = {
    1: (
        "a puff of smoke, {how}, hangs in the still air of a glass tank.",
        "in a closed glass tank of still air there is one round puff of smoke, {how}.",
        "a glass tank of air with a ball of smoke in it that is {how}.",
    ),
    2: (
        "two puffs of smoke in a glass tank of still air: the {first} one is {how}, the other {then}.",
        "in the still air of a glass tank hang two balls of smoke, the {first} one {how}, the other {then}.",
    ),
}


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
        count = int(rng.integers(1, 3))
        puffs = []
        for number in range(count):
            radius, excess = float(rng.uniform(*ranges.radius)), float(rng.uniform(*ranges.excess))
            excess *= -1.0 if rng.random() < COLD_SHARE else 1.0
            room = length / 2 / count - radius - MARGIN  # each has a part of the tank of its own
            x = (number - (count - 1) / 2) * length / count + float(rng.uniform(-room, room))
            lift = radius + MARGIN + float(rng.uniform(*LIFT))
            puffs.append(Puff(radius=radius, excess=excess, position=(x, 0.0, lift if excess > 0 else height - lift)))
        low, high = ranges.motes
        return cls(
            tank=(length, width, height),
            puffs=tuple(puffs),
            motes=int(rng.integers(low, high + 1)),
            mote=float(rng.uniform(*MOTE)),
            seed=int(rng.integers(2**31)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Puffs a little warmer or colder, and a little aside."""
        changed = []
        for puff in self.puffs:
            x, warm = np.clip(rng.normal(1.0, spread, size=2), 0.5, 1.5).tolist()
            reach = self.tank[0] / 2 - puff.radius - MARGIN / 2
            place = (float(np.clip(puff.position[0] * x, -reach, reach)), *puff.position[1:])
            changed.append(replace(puff, excess=puff.excess * warm, position=place))
        return replace(self, puffs=tuple(changed))

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
        sentence = choose(rng, PLACE[len(self.puffs)]).format(how=first.words, then=last.words, first=where)
        objects = [(thing.name, thing) for thing in self.bodies()[1:]]
        return write_captions(rng, extrinsics=extrinsics, sentences=[sentence, choose(rng, COLOURS)], objects=objects)
