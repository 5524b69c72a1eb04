"""Melting: a cold block on a hot plate in the floor."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import describe
from components.simulation.families.starts import draw_place
from components.simulation.props.liquids import whole
from components.simulation.props.wax import FILLED, MELTING, Form, Wax, hot_plate, shaped
from components.simulation.props.words import COLOURS
from components.simulation.scene import Captions, FloatArray, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

LATENT = (60.0, 110.0)  # K: latent heat over heat capacity (paraffin: 90)
RATIO = (0.9, 1.4)  # of a block's height to its width; of a pillar's 1.5 times that
REACH = (0.7, 0.2)  # metres from the middle, along x and y
PLACE = (
    "a dark {form} of wax, {height:.1f} metres high, stands on a plate in the floor that is kept at {hot:.0f} degrees.",
    "on a hot plate of {hot:.0f} degrees in the floor there is a cold {form} of wax, {height:.1f} metres tall.",
    "a {height:.1f} metre {form} of soft wax has just been set down on a plate of {hot:.0f} degrees.",
    "a cold {form} of wax on a floor plate of {hot:.0f} degrees; the wax melts at {melting:.0f}.",
)


@dataclass(frozen=True, kw_only=True)
class Melting(Wax):
    """Metres and degrees C; place: x and y of the block's middle; width: or its diameter."""

    form: Form
    width: float
    height: float
    place: tuple[float, float]
    hot: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a block, of whole numbers of particles."""
        ranges = simulation.thermodynamics
        form: Form = ("block", "pillar", "ball")[int(rng.integers(3))]
        width = float(rng.uniform(*ranges.width))
        height = width * (1.0 if form == "ball" else float(rng.uniform(*RATIO)) * (1.5 if form == "pillar" else 1.0))
        spacing = float((FILLED[form] * width**2 * height / rng.uniform(*ranges.particles)) ** (1 / 3))
        return cls(
            form=form,
            spacing=spacing,
            width=whole(width, spacing),
            height=whole(height, spacing),
            place=draw_place(rng, REACH),
            hot=float(rng.uniform(*ranges.hot)),
            latent=float(rng.uniform(*LATENT)),
            diffusivity=float(rng.uniform(*ranges.diffusivity)),
            viscosity=float(np.exp(rng.uniform(*np.log(ranges.viscosity)))),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Another place, and another temperature of the plate."""
        x, y, hot = np.clip(rng.normal(1.0, spread, size=3), 0.5, 1.5).tolist()
        return replace(self, place=(self.place[0] * x, self.place[1] * y), hot=MELTING + (self.hot - MELTING) * hot)

    def bodies(self) -> tuple[Thing, ...]:
        """The plate and the block."""
        plate = hot_plate(self.width / 2, self.place, temperature=self.hot)
        points = shaped(self.form, self.width, self.height, self.spacing) + np.array([*self.place, 0.0])
        return (plate, self.wax(points, f"{self.form} of wax"))

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The block and the plate."""
        words = {"form": self.form, "height": self.height, "hot": self.hot, "melting": MELTING}
        objects = [(f"{self.form} of wax", self.bodies()[1])]
        return describe(rng, extrinsics, [PLACE, COLOURS], objects, **words)
