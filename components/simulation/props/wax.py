"""Soft wax, and the plate that melts it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from components.simulation.props.liquids import BELOW, DRAWN, ball, lattice, pillar
from components.simulation.rotations import vec3
from components.simulation.scene import FloatArray, Pattern, Shape, Texture
from components.simulation.things.melting import HotPlate, Meltable

Form = Literal["block", "pillar", "ball"]
FILLED: dict[Form, float] = {"block": 1.0, "pillar": np.pi / 4, "ball": np.pi / 6}  # of width x width x height
COLD, MELTING = 20.0, 40.0  # degrees C
DENSITY, SHEAR = 900.0, 1.5e5  # kg/m^3, Pa: it sags by 1 % under its own weight
PLATE = (0.25, 0.4, 0.01)  # metres: beyond the block along x and y on either side, and its half thickness
PROUD = 5e-4  # metres by which the plate stands out of the floor
WAX = Texture(pattern=Pattern.NOISE, colour=(0.10, 0.10, 0.12), second_colour=(0.05, 0.05, 0.06), scale=0.5)
IRON = Texture(pattern=Pattern.NOISE, colour=(0.05, 0.05, 0.05), second_colour=(0.04, 0.04, 0.04), scale=0.4)


def shaped(form: Form, width: float, height: float, spacing: float) -> FloatArray:
    """Particles (P,3) of a block, pillar or ball that stands on the origin, of whole numbers of particles."""
    if form == "block":
        return lattice((width, width, height), spacing)
    if form == "pillar":
        return pillar(width, height, spacing, radius=width / 2)
    return ball(width, spacing, radius=width / 2)


@dataclass(frozen=True, kw_only=True)
class Wax:
    """Spacing of its particles in metres, latent heat over heat capacity in K, m^2/s; viscosity of its melt in Pa s.

    It conducts heat some thousand times better than any metal: what takes a real block of 5 cm minutes passes in a
    clip, with the ratio of sensible to latent heat of the real one.
    """

    spacing: float
    latent: float
    diffusivity: float
    viscosity: float

    def wax(self, points: FloatArray, name: str) -> Meltable:
        """Cold wax at rest, of particles at points (P,3)."""
        return Meltable(
            name=name,
            texture=WAX,
            position=vec3(points.mean(axis=0)),
            mass=DENSITY * self.spacing**3 * len(points),
            material="wax",
            points=points,
            radius=DRAWN * self.spacing + BELOW,
            spacing=self.spacing,
            density=DENSITY,
            viscosity=self.viscosity,
            shear=SHEAR,
            cold=COLD,
            melting=MELTING,
            latent=self.latent,
            diffusivity=self.diffusivity,
        )


def hot_plate(half: float, place: tuple[float, float], *, temperature: float) -> HotPlate:
    """An iron plate in the floor, under a block of half the width `half` at `place`."""
    return HotPlate(
        name="hot plate",
        shape=Shape.BOX,
        size=(half + PLATE[0], half + PLATE[1], PLATE[2]),
        texture=IRON,
        position=(*place, PROUD - PLATE[2]),
        restitution=1.0,
        material="iron",
        temperature=temperature,
    )
