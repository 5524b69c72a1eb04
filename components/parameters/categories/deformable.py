"""Ranges of the category deformable."""

from typing import Annotated

from components.parameters.fields import Range, Section, Shares, known_families, within


class Deformable(Section):
    """Ranges of soft solids: metres, Pa, kg/m^3, degrees."""

    families: Annotated[Shares, known_families("deformable")]
    radius: Annotated[Range, within(0.28, 0.45)]  # smaller ones have cells that the solver's steps do not resolve
    young: Annotated[Range, within(15_000, 60_000)]  # of gels; likewise, and softer ones lose too much of their volume
    foam: Annotated[Range, within(12_000, 40_000)]  # Young's modulus of cushions; likewise
    drop_height: Annotated[Range, within(0.05, 1.2)]
    ball_radius: Annotated[Range, within(0.14, 0.3)]
    ball_density: Annotated[Range, within(150, 1000)]  # on a cushion: a lighter ball has not many times a vertex' mass
    plate_density: Annotated[Range, within(200, 1200)]  # of 0.1 m^3
    ramp_angle: Annotated[Range, within(8, 30)]
