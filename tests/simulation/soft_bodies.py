"""Soft bodies to test the solver with, and what their motion says of them."""

import numpy as np

from components.simulation.scene import FloatArray, Motion, Scene, Vec3
from components.simulation.things.membrane import enclosed_volume
from components.simulation.things.soft import Elastic, SoftBody, soft_body
from components.simulation.things.tetrahedra import Solid, volumes
from tests.simulation.bodies import GREY

CLEARANCE = 0.003


def elastic(
    young: float, *, poisson: float = 0.498, damping: float = 0.0, density: float = 1000.0, friction: float = 0.5
) -> Elastic:
    return Elastic(density=density, young=young, poisson=poisson, damping=damping, friction=friction)


def lifted(
    solid: Solid, material: Elastic, *, height: float = 0.0, shift: float = 0.0, velocity: Vec3 = (0.0, 0.0, 0.0)
) -> SoftBody:
    """A solid whose lowest point is `height` above where it would touch the floor."""
    up = height + CLEARANCE - solid.vertices[:, 2].min()
    return soft_body(
        name="jelly",
        texture=GREY,
        solid=solid,
        elastic=material,
        points=solid.vertices + np.array([shift, 0.0, up]),
        material="jelly",
        thickness=CLEARANCE,
        velocity=velocity,
    )


def surface_volumes(scene: Scene, motion: Motion) -> FloatArray:
    """Inside the scene's soft body, (T,), over that of its cells at rest."""
    index, one = next((i, thing) for i, thing in enumerate(scene.bodies) if isinstance(thing, SoftBody))
    faces = motion.faces[motion.face_body == index]
    whole = volumes(one.solid.vertices, one.solid.cells).sum()
    return np.array([enclosed_volume(points, faces) / whole for points in motion.vertices])


def energies(scene: Scene, motion: Motion) -> FloatArray:
    """Energy (T-2,) in J of a soft body without inner vertices at all frames but the ends: of the continuum's law."""
    index, one = next((i, thing) for i, thing in enumerate(scene.bodies) if isinstance(thing, SoftBody))
    own = np.unique(motion.faces[motion.face_body == index])
    match = np.array([own[(motion.reference[own] == place).all(axis=1)][0] for place in one.solid.vertices])
    points = motion.vertices[:, match]
    velocity = (points[2:] - points[:-2]) * scene.fps / 2
    points, cells = points[1:-1], one.solid.cells
    rest = one.solid.vertices[cells]
    inverse = np.linalg.inv((rest[:, 1:] - rest[:, :1]).swapaxes(1, 2))
    corners = points[:, cells]
    f = (corners[:, :, 1:] - corners[:, :, :1]).swapaxes(2, 3) @ inverse
    j = np.linalg.det(f)
    shear, lame = one.elastic.shear, one.elastic.lame
    density = shear / 2 * ((f**2).sum(axis=(2, 3)) - 3) - shear * (j - 1) + (lame + shear) / 2 * (j - 1) ** 2
    stored = density @ volumes(one.solid.vertices, cells)
    kinetic = (velocity**2).sum(axis=2) @ one.masses / 2
    return np.asarray(stored + kinetic - points @ np.array(scene.gravity) @ one.masses, np.float64)
