"""Ranges of the category fluid."""

from typing import Annotated, Literal

from pydantic import Field

from components.parameters.fields import Range, Section, within


class Fluid(Section):
    """Ranges of the category fluid: metres, kg/m^3, Pa s."""

    families: Annotated[
        dict[Literal["dam_break", "plunge", "pour", "viscous"], Annotated[float, Field(ge=0.001, le=1)]],
        Field(min_length=1),
    ]
    particles: Annotated[tuple[int, int], within(500, 50_000)]
    height: Annotated[Range, within(0.4, 1.8)]  # inside the tank
    viscosity: Annotated[Range, within(1, 1000)]  # of syrup; water has none
    radius: Annotated[Range, within(0.15, 0.36)]  # inside the tank
    density: Annotated[Range, within(50, 10_000)]
    drop_height: Annotated[Range, within(0.01, 0.9)]  # inside the tank
