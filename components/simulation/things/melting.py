"""What melts, and what melts it."""

from dataclasses import dataclass

from components.simulation.scene import Body
from components.simulation.things.particles import Liquid


@dataclass(frozen=True, kw_only=True, eq=False)
class Meltable(Liquid):
    """A solid until it melts; `viscosity` is that of the melt. Temperatures in degrees C.

    shear: modulus of the solid in Pa; cold: its temperature at frame 0; melting: where it melts; latent: heat of
    melting over heat capacity, in K; diffusivity in m^2/s, of solid and melt.
    """

    shear: float
    cold: float
    melting: float
    latent: float
    diffusivity: float


@dataclass(frozen=True, kw_only=True)
class HotPlate(Body):
    """A static box, level with the floor, whose top is held at `temperature` (degrees C)."""

    temperature: float
