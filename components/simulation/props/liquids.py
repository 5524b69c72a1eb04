"""Liquids that families share: lattices of particles, the tank around them, and how both look."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.simulation.props.looks import coloured
from components.simulation.rotations import vec3
from components.simulation.scene import FloatArray, Pattern, Texture, Vec3
from components.simulation.things.particles import Liquid
from components.simulation.things.tank import Tank

if TYPE_CHECKING:
    from components.parameters.categories.fluid import Fluid

DRAWN, BELOW = 0.5, 3e-3  # of the spacing, and metres more: the radius of the spheres, which just reach into the floor
DISORDER = 0.3  # of the spacing: how far a particle is off its place in a lattice at most
MARKS = 0.6  # metres: period of the darker shade that shows how a liquid moves
GREY = Texture(pattern=Pattern.PLAIN, colour=(0.12, 0.12, 0.12), second_colour=(0.12, 0.12, 0.12))
SYRUP_DENSITY = 1400.0  # kg/m^3


def spacing_for(rng: np.random.Generator, ranges: "Fluid", *, volume: float, width: float) -> float:
    """Metres between particles so that `volume` is about `ranges.particles` of them, and `width` a whole number."""
    particles = float(rng.uniform(*ranges.particles))
    return float(width / max(2, round(width / (volume / particles) ** (1 / 3))))


def whole(length: float, spacing: float) -> float:
    """The length of the nearest whole number of particles, at least two."""
    return max(2, round(length / spacing)) * spacing


def lattice(size: Vec3, spacing: float) -> FloatArray:
    """Centres (P,3) of a block of whole numbers of particles; the middle of its base is the origin.

    Each is a little off its place, within the block: rows of a perfect lattice open into stripes when it is drawn out.
    """
    counts = [round(length / spacing) for length in size]
    axes = [(np.arange(count) + 0.5) * spacing for count in counts]
    axes[0], axes[1] = axes[0] - size[0] / 2, axes[1] - size[1] / 2
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    points += np.random.default_rng(0).uniform(-DISORDER, DISORDER, size=points.shape) * spacing
    return np.asarray(np.clip(points, [axis[0] for axis in axes], [axis[-1] for axis in axes]), np.float64)


def inside_ball(points: FloatArray, centre: FloatArray, radius: float) -> NDArray[np.bool_]:
    """Which points (P,3) are in a ball."""
    return np.asarray(np.linalg.norm(points - centre, axis=1) <= radius, np.bool_)


def pillar(width: float, height: float, spacing: float, *, radius: float) -> FloatArray:
    """Particles (P,3) of a round column in a lattice of whole numbers of particles; its foot is at the origin."""
    points = lattice((width, width, height), spacing)
    return points[inside_ball(points * [1.0, 1.0, 0.0], np.zeros(3), radius)]


def ball(width: float, spacing: float, *, radius: float) -> FloatArray:
    """Likewise of a ball, whose lowest point is the origin."""
    points = lattice((width, width, width), spacing)
    return points[inside_ball(points, np.array([0.0, 0.0, width / 2]), radius)]


def draw_pool(
    rng: np.random.Generator,
    ranges: "Fluid",
    *,
    length: tuple[float, float],
    width: tuple[float, float],
    depth: tuple[float, float],
) -> tuple[Vec3, float]:
    """Length, width and depth of water from pane to pane in whole numbers of particles, and their spacing."""
    x, y, z = (float(rng.uniform(*bounds)) for bounds in (length, width, depth))
    spacing = spacing_for(rng, ranges, volume=x * y * z, width=y)
    return (whole(x, spacing), y, whole(z, spacing)), spacing


def water(points: FloatArray, *, colour: str, spacing: float) -> Liquid:
    """Water at rest."""
    return _liquid(points, colour=colour, spacing=spacing, name="water", density=1000.0, viscosity=0.0)


def syrup(points: FloatArray, *, colour: str, spacing: float, viscosity: float) -> Liquid:
    """A thick liquid at rest; viscosity in Pa s."""
    return _liquid(points, colour=colour, spacing=spacing, name="syrup", density=SYRUP_DENSITY, viscosity=viscosity)


def _liquid(points: FloatArray, *, colour: str, spacing: float, name: str, density: float, viscosity: float) -> Liquid:
    return Liquid(
        name=f"{colour} {name}",
        texture=coloured(colour, Pattern.NOISE, scale=MARKS),
        position=vec3(points.mean(axis=0)),
        mass=density * spacing**3 * len(points),
        material=name,
        points=points,
        radius=DRAWN * spacing + BELOW,
        spacing=spacing,
        density=density,
        viscosity=viscosity,
    )


def glass_tank(size: Vec3) -> Tank:
    """A closed tank in the middle of the floor; size inside, in metres."""
    return Tank(name="tank", texture=GREY, position=(0.0, 0.0, 0.0), size=size, material="glass")
