"""Puffs of smoke: air that can be seen, warmer or colder than the air around it."""

from dataclasses import dataclass

from components.simulation.things.particles import Particles


@dataclass(frozen=True, kw_only=True, eq=False)
class Smoke(Particles):
    """A ball of `size` (metres of radius) around `position`, at `excess` K over the air around it.

    `points` are motes that drift with the air.
    """

    size: float
    excess: float


AIR_DENSITY = 1.2  # kg/m^3
AIR_TEMPERATURE = 293.0  # K
