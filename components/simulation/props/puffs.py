"""Puffs of smoke: how warm, where, and the motes that show them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.rotations import vec3
from components.simulation.scene import FloatArray, Pattern, Texture, Vec3
from components.simulation.things.smoke import AIR_DENSITY, Smoke

if TYPE_CHECKING:
    from components.parameters.categories.thermodynamics import Thermodynamics

MARGIN = 0.06  # metres between a puff and the panes at least
COLD_SHARE = 0.3  # of puffs
LIFT = (0.0, 0.15)  # metres: how far beyond the margin a warm puff is above the base, or a cold one under the lid
WARM = 0.92  # of the radius: how far motes reach, so that all of them begin in air that is wholly warm
ASH = Texture(pattern=Pattern.NOISE, colour=(0.16, 0.16, 0.17), second_colour=(0.07, 0.07, 0.08), scale=0.3)


@dataclass(frozen=True, kw_only=True)
class Puff:
    """Metres and K; position: of its middle."""

    radius: float
    excess: float
    position: Vec3

    @property
    def words(self) -> str:
        """How warm it is."""
        return f"{abs(self.excess):.0f} degrees {'warmer' if self.excess > 0 else 'colder'} than the air"

    def perturbed(self, rng: np.random.Generator, spread: float, length: float) -> Self:
        """A little warmer or colder, and a little aside, within a tank of a length."""
        x, warm = np.clip(rng.normal(1.0, spread, size=2), 0.5, 1.5).tolist()
        reach = length / 2 - self.radius - MARGIN / 2
        place = (float(np.clip(self.position[0] * x, -reach, reach)), *self.position[1:])
        return replace(self, excess=self.excess * warm, position=place)

    def smoke(self, name: str, *, motes: int, mote: float, seed: int) -> Smoke:
        """The puff as `motes` spheres; mote: their radius, over the distance between them."""
        points = _evenly_in_ball(motes, np.random.default_rng(seed)) * WARM * self.radius + np.array(self.position)
        volume = 4 / 3 * np.pi * self.radius**3
        return Smoke(
            name=name,
            texture=ASH,
            position=vec3(points.mean(axis=0)),
            mass=AIR_DENSITY * volume,
            material="smoke",
            points=points,
            radius=mote * float((volume / motes) ** (1 / 3)),
            size=self.radius,
            excess=self.excess,
        )


def draw_puffs(rng: np.random.Generator, ranges: "Thermodynamics", *, length: float, height: float) -> tuple[Puff, ...]:
    """One or two puffs in a tank, warm ones near its base and cold ones under its lid."""
    count = int(rng.integers(1, 3))
    puffs = []
    for number in range(count):
        radius, excess = float(rng.uniform(*ranges.radius)), float(rng.uniform(*ranges.excess))
        excess *= -1.0 if rng.random() < COLD_SHARE else 1.0
        room = length / 2 / count - radius - MARGIN  # each has a part of the tank of its own
        x = (number - (count - 1) / 2) * length / count + float(rng.uniform(-room, room))
        lift = radius + MARGIN + float(rng.uniform(*LIFT))
        puffs.append(Puff(radius=radius, excess=excess, position=(x, 0.0, lift if excess > 0 else height - lift)))
    return tuple(puffs)


def _evenly_in_ball(count: int, rng: np.random.Generator) -> FloatArray:
    """Points (count,3) in the unit ball, evenly spread: a lattice, shaken a little, the innermost are taken."""
    side = int(np.ceil((count * 6 / np.pi) ** (1 / 3))) + 2
    axis = (np.arange(side) - (side - 1) / 2) * 2 / side
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    points += rng.uniform(-0.3, 0.3, size=points.shape) * 2 / side
    distance = np.linalg.norm(points, axis=1)
    inner = np.argsort(distance, kind="stable")[:count]
    return np.asarray(points[inner] / distance[inner].max(), np.float64)
