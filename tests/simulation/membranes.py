"""Cloth and inflatables to test the solver with, in a vacuum unless told otherwise."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from components.simulation.scene import FloatArray, Vec3
from components.simulation.things.membrane import STILL_VACUUM, Air, Gas, Membrane
from components.simulation.things.sheet import sheet
from components.simulation.things.shell import Skin, gas_at, shell, sphere_points
from tests.simulation.bodies import GREY

DENSITY = 0.2  # kg/m^2


def cloth(
    *,
    height: float = 1.0,
    side: float = 1.0,
    cells: int = 20,
    stiffness: float = 200.0,
    upright: bool = False,
    pinned: Callable[[FloatArray], NDArray[np.bool_]] | None = None,
    air: Air = STILL_VACUUM,
    velocity: Vec3 = (0.0, 0.0, 0.0),
) -> Membrane:
    """A square cloth around (0, 0, height): level, or upright in the plane y = 0."""

    def place(flat: FloatArray) -> FloatArray:
        x, y, _ = flat.T
        return np.stack([x, 0 * x, y + height] if upright else [x, y, 0 * x + height], axis=1)

    return sheet(
        name="cloth",
        texture=GREY,
        size=(side, side),
        cells=(cells, cells),
        place=place,
        density=DENSITY,
        stiffness=stiffness,
        bending=1e-4,
        pinned=pinned,
        air=air,
        velocity=velocity,
    )


def balloon(
    *,
    height: float = 1.0,
    radius: float = 0.35,
    pressure: float = 200.0,
    stiffness: float = 400.0,
    density: float = 0.3,
    velocity: Vec3 = (0.0, 0.0, 0.0),
) -> Membrane:
    """A sphere around (0, 0, height) whose skin balances the overpressure: p r / 2 = 3/2 E h strain."""
    strain = pressure * radius / (3 * stiffness)
    points = sphere_points(radius)
    return shell(
        name="balloon",
        texture=GREY,
        rest=points / (1 + strain),
        points=points + np.array([0.0, 0.0, height]),
        skin=Skin(density=density, stiffness=stiffness, bending=1e-3, friction=0.5, material="vinyl"),
        gas=Gas.sealed(gas_at(points, pressure)),
        velocity=velocity,
    )
