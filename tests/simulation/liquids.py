"""Small liquids and tanks to solve."""

from collections.abc import Sequence

import numpy as np

from components.simulation.props.liquids import glass_tank, lattice, syrup, water
from components.simulation.scene import FloatArray, Motion, Scene, Thing, Vec3
from components.simulation.things.particles import Liquid
from components.simulation.things.tank import Tank
from tests.simulation.bodies import G, floor, scene


def pool(size: Vec3, *, spacing: float, at: Vec3 = (0.0, 0.0, 0.0), viscosity: float = 0.0) -> Liquid:
    """A block of water, or of syrup where it is viscous; `at`: the middle of its base."""
    points = lattice(size, spacing) + np.array(at)
    if viscosity:
        return syrup(points, colour="blue", spacing=spacing, viscosity=viscosity)
    return water(points, colour="blue", spacing=spacing)


def tank(size: Vec3) -> Tank:
    return glass_tank(size)


def wet(things: Sequence[Thing], *, seconds: float, fps: int = 16, gravity: Vec3 = (0.0, 0.0, -G)) -> Scene:
    """A scene on the floor."""
    return scene([floor(), *things], seconds=seconds, fps=fps, gravity=gravity)


def centres(motion: Motion, index: int, count: int) -> FloatArray:
    """Centres (T,P,3) of the particles of the thing `index` of a scene."""
    own = np.unique(motion.faces[motion.face_body == index])
    return np.asarray(motion.vertices[:, own].reshape(len(motion.vertices), count, -1, 3).mean(axis=2), np.float64)
