"""Ranges of the category rope."""

from typing import Annotated

from components.parameters.fields import Range, Section, Shares, UnitRange, known_families, within


class Ropes(Section):
    """Ranges of the category rope: metres, kg per metre of rope, kg/m^3, degrees."""

    families: Annotated[Shares, known_families("rope")]
    length: Annotated[Range, within(0.8, 1.6)]
    radius: Annotated[Range, within(0.015, 0.05)]
    mass_per_metre: Annotated[Range, within(0.05, 2)]  # lighter ones move faster than the solver's steps
    ball_radius: Annotated[Range, within(0.1, 0.3)]
    density: Annotated[Range, within(50, 4000)]
    friction: UnitRange
    angle: Annotated[Range, within(10, 80)]
    boxes: Annotated[tuple[int, int], within(1, 4)]
