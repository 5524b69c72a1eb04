"""Ranges of the category thermodynamics."""

from typing import Annotated

from components.parameters.fields import Range, Section, Shares, known_families, within


class Thermodynamics(Section):
    """Ranges of the category thermodynamics: metres, K/s, degrees C, m^2/s, Pa s."""

    families: Annotated[Shares, known_families("thermodynamics")]
    length: Annotated[Range, within(0.8, 1.6)]
    thickness: Annotated[Range, within(0.007, 0.02)]  # a thinner strip swings more slowly than it heats up
    rate: Annotated[Range, within(10, 400)]
    particles: Annotated[tuple[int, int], within(500, 20_000)]
    width: Annotated[Range, within(0.3, 0.9)]
    hot: Annotated[Range, within(100, 400)]
    diffusivity: Annotated[Range, within(0.001, 0.2)]
    viscosity: Annotated[Range, within(1.1, 100)]  # a thinner melt slips over the floor, and far away
    motes: Annotated[tuple[int, int], within(100, 10_000)]
    radius: Annotated[Range, within(0.15, 0.36)]  # inside the tank
    excess: Annotated[Range, within(5, 100)]  # more, and differences of density are no longer small
