"""Ranges of the category garment."""

from typing import Annotated

from components.parameters.fields import Range, Section, Shares, known_families, within


class Garment(Section):
    """Ranges of cloth: metres, kg/m^2, N/m along the threads, N m of flexural rigidity, m/s, kg/m^3."""

    families: Annotated[Shares, known_families("garment")]
    size: Annotated[Range, within(0.6, 1.8)]
    density: Annotated[Range, within(0.1, 1)]
    stiffness: Annotated[Range, within(50, 500)]  # the solver's steps resolve stiffness < vertex mass x steps^2 / 2
    bending: Annotated[Range, within(1e-6, 1e-2)]
    friction: Annotated[Range, within(0, 1)]
    gap: Annotated[Range, within(0.05, 1)]
    wind: Annotated[Range, within(1, 12)]
    ball_radius: Annotated[Range, within(0.12, 0.35)]  # a smaller ball slips between two vertices of a cloth
    ball_density: Annotated[Range, within(5, 200)]
    drop_height: Annotated[Range, within(0.1, 1.5)]
