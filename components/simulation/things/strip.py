"""Bimetal strips: two metals of one thickness, bonded, clamped at one end and heated by a current."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from components.simulation.scene import FloatArray, Kind, Thing, Vec3


@dataclass(frozen=True, kw_only=True)
class Metal:
    """expansion in 1/K, modulus in Pa, density in kg/m^3, heat capacity in J/(kg K), conductivity in W/(m K)."""

    expansion: float
    modulus: float
    density: float
    heat_capacity: float
    conductivity: float


@dataclass(frozen=True, kw_only=True)
class Strip(Thing):
    """`root`: the middle of the clamped end; unit vectors `along` the straight strip and `towards` the second metal.

    Metres; thickness is that of both metals together. cold: temperature in degrees C at frame 0, and of the clamp;
    hot: what a regulated current heats no part beyond; rate: of its heating at first, in K/s; heated: the part of the
    length, from the clamp, that the current runs through.
    """

    kind: ClassVar[Kind] = "deformable"

    first: Metal
    second: Metal
    root: Vec3
    along: Vec3
    towards: Vec3
    length: float
    width: float
    thickness: float
    cold: float
    hot: float
    rate: float
    heated: tuple[float, float]

    @property
    def capacity(self) -> float:
        """J/(m^3 K), of both metals."""
        return sum(metal.density * metal.heat_capacity for metal in (self.first, self.second)) / 2

    @property
    def conductivity(self) -> float:
        """W/(m K) along the strip."""
        return (self.first.conductivity + self.second.conductivity) / 2

    @property
    def rigidity(self) -> float:
        """Flexural rigidity of a metre of width, in N m: both metals about their common neutral plane."""
        e1, e2, h = self.first.modulus, self.second.modulus, self.thickness / 2
        return (e1 + e2) * h**3 / 12 + e1 * e2 / (e1 + e2) * h**3

    def weight(self, gravity: Vec3) -> FloatArray:
        """Weight (2,) of a metre, of a metre of width, along and towards the second metal, in N/m."""
        mass = (self.first.density + self.second.density) / 2 * self.thickness
        return np.asarray(mass * np.array([self.along, self.towards]) @ np.array(gravity), np.float64)

    def curvature(self, temperature: FloatArray) -> FloatArray:
        """1/m, positive towards the second metal, of what is free, straight when cold and now at `temperature` (C).

        Timoshenko, Analysis of Bi-Metal Thermostats, J. Opt. Soc. Am. 11 (1925), with layers of one thickness:
        k = 24 (a1 - a2) (T - T0) / (h (12 + (1 + n) (1 + 1/n))), n = E1 / E2.
        """
        n = self.first.modulus / self.second.modulus
        expansion = self.first.expansion - self.second.expansion
        return np.asarray(
            24 * expansion * (temperature - self.cold) / (self.thickness * (12 + (1 + n) * (1 + 1 / n))), np.float64
        )
