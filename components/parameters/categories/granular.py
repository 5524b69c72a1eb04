"""Ranges of the category granular."""

from typing import Annotated

from components.parameters.fields import Range, Section, Shares, UnitRange, known_families, within


class Granular(Section):
    """Ranges of the category granular: metres, kg/m^3, degrees."""

    families: Annotated[Shares, known_families("granular")]
    grains: Annotated[tuple[int, int], within(100, 20_000)]  # above 1000 as sand, and without `impact`
    friction: UnitRange
    ramp_angle: Annotated[Range, within(20, 45)]
    ball_radius: Annotated[Range, within(0.1, 0.32)]  # inside the tank
    ball_density: Annotated[Range, within(100, 10_000)]
    drop_height: Annotated[Range, within(0.01, 0.9)]  # likewise
