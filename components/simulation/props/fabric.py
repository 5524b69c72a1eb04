"""Cloth: what it is made of and looks like, drawn from the ranges of the category."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.simulation.props.looks import coloured, plain_grey
from components.simulation.scene import IDENTITY, Body, FloatArray, Pattern, Quaternion, Shape, Vec3
from components.simulation.things.membrane import Air, Membrane
from components.simulation.things.sheet import sheet

if TYPE_CHECKING:
    from components.parameters.categories.garment import Garment

SPACING = 0.05  # metres between vertices: the folds of a table-cloth have five times as much
DRAG = 1.2  # of a plate across the stream
STILL = Air(drag=DRAG)
PERIOD = (0.25, 0.4)  # metres of the pattern: a tenth of the picture, so that folds and motion can be seen in it


@dataclass(frozen=True, kw_only=True)
class Weave:
    """Where a material lies in the ranges of density, stiffness, bending (log) and friction: 0 low, 1 high."""

    density: tuple[float, float]
    stiffness: tuple[float, float]
    bending: tuple[float, float]
    friction: tuple[float, float]


MATERIALS = {
    "silk": Weave(density=(0.0, 0.2), stiffness=(0.3, 0.6), bending=(0.0, 0.25), friction=(0.0, 0.3)),
    "cotton": Weave(density=(0.2, 0.5), stiffness=(0.3, 0.8), bending=(0.3, 0.6), friction=(0.3, 0.7)),
    "wool": Weave(density=(0.4, 0.8), stiffness=(0.0, 0.3), bending=(0.4, 0.7), friction=(0.6, 1.0)),
    "denim": Weave(density=(0.7, 1.0), stiffness=(0.7, 1.0), bending=(0.7, 1.0), friction=(0.5, 0.8)),
}


@dataclass(frozen=True, kw_only=True)
class Fabric:
    """One cloth without its place: kg/m^2, N/m, N m, metres."""

    colour: str
    material: str
    pattern: Pattern
    period: float
    density: float
    stiffness: float
    bending: float
    friction: float

    @classmethod
    def draw(cls, rng: np.random.Generator, ranges: "Garment", colour: str) -> "Fabric":
        """Draw a material; it decides where in the ranges the cloth lies."""
        name = str(rng.choice(list(MATERIALS)))
        weave = MATERIALS[name]
        logarithms = (float(np.log(ranges.bending[0])), float(np.log(ranges.bending[1])))
        return cls(
            colour=colour,
            material=name,
            pattern=Pattern(str(rng.choice([Pattern.CHECKER, Pattern.STRIPES]))),
            period=float(rng.uniform(*PERIOD)),
            density=_within(rng, ranges.density, weave.density),
            stiffness=_within(rng, ranges.stiffness, weave.stiffness),
            bending=float(np.exp(_within(rng, logarithms, weave.bending))),
            friction=_within(rng, ranges.friction, weave.friction),
        )

    @property
    def phrase(self) -> str:
        """Colour, pattern and material, without the noun."""
        return f"{self.colour} {'checked' if self.pattern is Pattern.CHECKER else 'striped'} {self.material}"

    def sheet(
        self,
        name: str,
        *,
        size: tuple[float, float],
        place: Callable[[FloatArray], FloatArray],
        pinned: Callable[[FloatArray], NDArray[np.bool_]] | None = None,
        air: Air = STILL,
        velocity: Vec3 = (0.0, 0.0, 0.0),
        assembly: str = "",
    ) -> Membrane:
        """The cloth: arguments as in `things.sheet.sheet`."""
        return sheet(
            name=f"{self.colour} {name}",
            texture=coloured(self.colour, self.pattern, scale=self.period),
            size=size,
            cells=(round(size[0] / SPACING), round(size[1] / SPACING)),
            place=place,
            density=self.density,
            stiffness=self.stiffness,
            bending=self.bending,
            pinned=pinned,
            friction=self.friction,
            air=air,
            velocity=velocity,
            material=self.material,
            assembly=assembly,
        )


def _within(rng: np.random.Generator, bounds: tuple[float, float], part: tuple[float, float]) -> float:
    low, high = bounds
    return low + (high - low) * float(rng.uniform(*part))


def rod(
    name: str,
    *,
    radius: float,
    length: float,
    position: Vec3,
    grey: float,
    turned: Quaternion = IDENTITY,
    assembly: str = "",
) -> Body:
    """A static grey cylinder, upright where it is not `turned`."""
    return Body(
        name=name,
        shape=Shape.CYLINDER,
        size=(radius, length, 0.0),
        texture=plain_grey(grey),
        position=position,
        orientation=turned,
        restitution=1.0,
        friction=1.0,
        assembly=assembly,
    )
