"""Ranges of the category fluid."""

from typing import Annotated

from components.parameters.fields import Range, Section, Shares, known_families, within


class Fluid(Section):
    """Ranges of the category fluid: metres, kg/m^3, Pa s."""

    families: Annotated[Shares, known_families("fluid")]
    particles: Annotated[tuple[int, int], within(500, 50_000)]
    height: Annotated[Range, within(0.4, 1.8)]  # inside the tank
    viscosity: Annotated[Range, within(1, 1000)]  # of syrup; water has none
    radius: Annotated[Range, within(0.15, 0.36)]  # inside the tank
    density: Annotated[Range, within(50, 10_000)]
    drop_height: Annotated[Range, within(0.01, 0.9)]  # inside the tank
