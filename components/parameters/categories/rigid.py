"""Ranges of the category rigid."""

from typing import Annotated

from components.parameters.fields import Range, Section, Shares, UnitRange, known_families, within


class Rigid(Section):
    """Ranges of the category rigid: metres, kg/m^3, degrees."""

    families: Annotated[Shares, known_families("rigid")]
    radius: Annotated[Range, within(0.05, 1)]
    density: Annotated[Range, within(1, 25_000)]  # the densest metal has 22,600
    friction: UnitRange
    objects: Annotated[tuple[int, int], within(1, 3)]  # more do not fit the picture
    drop_height: Annotated[Range, within(0.01, 16)]  # above, large objects stand out of the guard's world
    ramp_angle: Annotated[Range, within(5, 60)]
    lean: Annotated[Range, within(-30, 40)]
    slenderness: Annotated[Range, within(1, 10)]
