"""The skins of inflatables: what they are made of and look like, drawn from the ranges of the category."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.simulation.props.looks import coloured
from components.simulation.scene import FloatArray, Pattern, Vec3
from components.simulation.things.membrane import Air, Gas, Membrane
from components.simulation.things.shell import THICKNESS, Skin, shell, sphere_points

if TYPE_CHECKING:
    from components.parameters.categories.inflatable import Inflatable

BENDING = 6e-3  # N m: a skin of about half a millimetre; wrinkles are as wide as a few vertices
DRAG = 0.35  # on every face: 4/3 of it for a sphere, 0.47
MATERIALS = ("latex", "vinyl", "rubber")


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A skin without its shape: kg/m^2, N/m, metres; strain: under the gas' pressure, of a sphere."""

    colour: str
    material: str
    pattern: Pattern
    density: float
    stiffness: float
    strain: float
    friction: float

    @classmethod
    def draw(cls, rng: np.random.Generator, ranges: "Inflatable", colour: str) -> "Envelope":
        """Draw from the ranges."""
        return cls(
            colour=colour,
            material=str(rng.choice(list(MATERIALS))),
            pattern=Pattern(str(rng.choice([Pattern.CHECKER, Pattern.STRIPES]))),
            density=float(rng.uniform(*ranges.density)),
            stiffness=float(rng.uniform(*ranges.stiffness)),
            strain=float(rng.uniform(*ranges.strain)),
            friction=float(rng.uniform(*ranges.friction)),
        )

    @property
    def phrase(self) -> str:
        """Colour, pattern and material, without the noun."""
        return f"{self.colour} {'checked' if self.pattern is Pattern.CHECKER else 'striped'} {self.material}"

    def pressure(self, radius: float) -> float:
        """Overpressure in Pa that holds a sphere of `radius` at `strain`: p r / 2 = E h strain / (1 - 1/3)."""
        return 3 * self.stiffness * self.strain / radius

    def unstressed(self, radius: float) -> FloatArray:
        """Rest shape (642,3) of the sphere that the gas has stretched to `radius`."""
        return sphere_points(radius / (1 + self.strain))

    @staticmethod
    def over_floor(points: FloatArray, place: tuple[float, float], height: float = 0.0) -> FloatArray:
        """Points (V,3) at a place, the lowest `height` above the floor, but for the thickness of a skin."""
        return np.asarray(points + np.array([*place, height + THICKNESS - float(points[:, 2].min())]), np.float64)

    def shell(
        self,
        name: str,
        *,
        rest: FloatArray,
        points: FloatArray,
        gas: Gas,
        period: float,
        pinned: NDArray[np.bool_] | None = None,
        velocity: Vec3 = (0.0, 0.0, 0.0),
        assembly: str = "",
    ) -> Membrane:
        """The skin in air: arguments as in `things.shell.shell`; period: of the pattern, metres."""
        return shell(
            name=f"{self.colour} {name}",
            texture=coloured(self.colour, self.pattern, scale=period),
            rest=rest,
            points=points,
            skin=Skin(
                density=self.density,
                stiffness=self.stiffness,
                bending=BENDING,
                friction=self.friction,
                material=self.material,
            ),
            gas=gas,
            pinned=pinned,
            air=Air(drag=DRAG),
            velocity=velocity,
            assembly=assembly,
        )
