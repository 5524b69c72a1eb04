"""Metals of bimetal strips, in pairs that are made: what expands much, bonded to invar, which hardly does."""

from components.simulation.rotations import vec3
from components.simulation.scene import FloatArray, Pattern, Texture
from components.simulation.things.strip import Metal, Strip

INVAR = Metal(expansion=1.5e-6, modulus=1.45e11, density=8100.0, heat_capacity=515.0, conductivity=11.0)
EXPANDING = {  # expansion between 20 and 200 degrees C
    "manganese alloy": Metal(
        expansion=27e-6, modulus=1.25e11, density=7200.0, heat_capacity=500.0, conductivity=7.0
    ),  # Mn72Cu18Ni10
    "brass": Metal(expansion=19e-6, modulus=1.05e11, density=8500.0, heat_capacity=380.0, conductivity=120.0),
    "zinc": Metal(expansion=30e-6, modulus=1.0e11, density=7100.0, heat_capacity=390.0, conductivity=115.0),
}
COLD, HOT = 20.0, 220.0  # degrees C: invar keeps its low expansion up to about 200
DARK = Texture(pattern=Pattern.CHECKER, colour=(0.06, 0.06, 0.07), second_colour=(0.13, 0.13, 0.15), scale=0.35)


def bonded(
    metal: str,
    *,
    root: FloatArray,
    directions: tuple[FloatArray, FloatArray],
    size: tuple[float, float, float],
    rate: float,
    heated: tuple[float, float],
) -> Strip:
    """A cold strip of a metal on invar, from its `root` (3,) along and towards its invar as in `Strip`.

    size: length, width and thickness in metres; rate in K/s, of the part of its length from `heated` to `heated`.
    """
    first, (along, towards), (length, width, thickness) = EXPANDING[metal], directions, size
    return Strip(
        name="bimetal strip",
        texture=DARK,
        position=vec3(root + length / 2 * along),
        mass=(first.density + INVAR.density) / 2 * length * width * thickness,
        material=f"{metal} on invar",
        assembly="clamp",
        first=first,
        second=INVAR,
        root=vec3(root),
        along=vec3(along + 0.0),
        towards=vec3(towards + 0.0),
        length=length,
        width=width,
        thickness=thickness,
        cold=COLD,
        hot=HOT,
        rate=rate,
        heated=heated,
    )
