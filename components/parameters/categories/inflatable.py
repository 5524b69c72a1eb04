"""Ranges of the category inflatable."""

from typing import Annotated

from components.parameters.fields import Range, Section, Shares, known_families, within


class Inflatable(Section):
    """Ranges of shells around a gas: metres, kg/m^2, N/m (Young's modulus times thickness), Pa, kg/m^3, seconds."""

    families: Annotated[Shares, known_families("inflatable")]
    radius: Annotated[Range, within(0.3, 0.5)]  # below, vertices are lighter than the solver's steps resolve
    density: Annotated[Range, within(0.15, 1)]  # likewise
    stiffness: Annotated[Range, within(100, 600)]  # likewise: stiffness < vertex mass x steps^2 / 2
    strain: Annotated[Range, within(0.01, 0.15)]  # of the skin under the gas' pressure
    friction: Annotated[Range, within(0, 1)]
    drop_height: Annotated[Range, within(0.1, 2)]
    ball_radius: Annotated[Range, within(0.1, 0.35)]
    ball_density: Annotated[Range, within(5, 200)]
    growth: Annotated[Range, within(1.2, 3)]  # of a balloon's radius
    shrinkage: Annotated[Range, within(0.1, 0.8)]  # the share of its gas that a leaking one loses
    seconds: Annotated[Range, within(1, 10)]  # that filling or leaking takes
