"""Ranges of the category articulated."""

from typing import Annotated

from components.parameters.fields import Range, Section, Shares, known_families, within


class Articulated(Section):
    """Ranges of the category articulated: metres, kg/m^3, degrees, degrees per second."""

    families: Annotated[Shares, known_families("articulated")]
    length: Annotated[Range, within(0.7, 1.5)]  # shorter than the weights are wide, or longer than the picture is high
    radius: Annotated[Range, within(0.1, 0.28)]
    density: Annotated[Range, within(1, 25_000)]  # the densest metal has 22,600
    angle: Annotated[Range, within(5, 170)]
    spin: Annotated[Range, within(10, 360)]  # faster ones fling boxes out of the world
