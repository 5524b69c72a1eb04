"""Soft wax, and the plate that melts it."""

from components.simulation.props.liquids import BELOW, DRAWN
from components.simulation.rotations import vec3
from components.simulation.scene import FloatArray, Pattern, Shape, Texture
from components.simulation.things.melting import HotPlate, Meltable

COLD, MELTING = 20.0, 40.0  # degrees C
DENSITY, SHEAR = 900.0, 1.5e5  # kg/m^3, Pa: it sags by 1 % under its own weight
PLATE = (0.25, 0.4, 0.01)  # metres: beyond the block along x and y on either side, and its half thickness
PROUD = 5e-4  # metres by which the plate stands out of the floor
WAX = Texture(pattern=Pattern.NOISE, colour=(0.10, 0.10, 0.12), second_colour=(0.05, 0.05, 0.06), scale=0.5)
IRON = Texture(pattern=Pattern.NOISE, colour=(0.05, 0.05, 0.05), second_colour=(0.04, 0.04, 0.04), scale=0.4)


def wax(
    points: FloatArray, *, name: str, spacing: float, viscosity: float, latent: float, diffusivity: float
) -> Meltable:
    """Cold wax at rest; viscosity of its melt in Pa s, latent heat over heat capacity in K, diffusivity in m^2/s."""
    return Meltable(
        name=name,
        texture=WAX,
        position=vec3(points.mean(axis=0)),
        mass=DENSITY * spacing**3 * len(points),
        material="wax",
        points=points,
        radius=DRAWN * spacing + BELOW,
        spacing=spacing,
        density=DENSITY,
        viscosity=viscosity,
        shear=SHEAR,
        cold=COLD,
        melting=MELTING,
        latent=latent,
        diffusivity=diffusivity,
    )


def hot_plate(half: float, place: tuple[float, float], *, temperature: float) -> HotPlate:
    """An iron plate in the floor, under a block of half the width `half` at `place`."""
    return HotPlate(
        name="hot plate",
        shape=Shape.BOX,
        size=(half + PLATE[0], half + PLATE[1], PLATE[2]),
        texture=IRON,
        position=(*place, PROUD - PLATE[2]),
        restitution=1.0,
        material="iron",
        temperature=temperature,
    )
