"""A scene's soft bodies as arrays on the device, the way the kernels want them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import warp as wp
from numpy.typing import NDArray

from components.simulation.scene import Body, FloatArray, Shape
from components.simulation.solvers.kernels_soft import Cells
from components.simulation.solvers.kernels_xpbd import Particles
from components.simulation.solvers.kernels_xpbd_contacts import Bodies
from components.simulation.solvers.xpbd_model import body_arrays, doubles, vectors
from components.simulation.things.soft import Guided, SoftBody
from components.simulation.things.tetrahedra import volumes

COURANT = 0.8  # of the least height of a cell at most, that a pressure wave goes in a step

OWN_BULK = 5.0  # shear moduli at most, of which each cell resists by itself: as at a Poisson's ratio of .4


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftModel:
    """Everything the kernels read; `starts` says where the vertices of each soft body begin."""

    particles: Particles
    cells: Cells
    bodies: Bodies
    moving: int  # the dynamic one among the bodies, or -1
    guided: bool  # and whether it moves up and down alone
    starts: NDArray[np.int64]
    vertices: int
    count: int  # of cells


def build(
    soft: Sequence[SoftBody], bodies: Sequence[Body], first_kick: FloatArray, seconds: float, device: str
) -> SoftModel:
    """Arrays of a scene; `first_kick` (3,) is added to the velocity of all that moves, `seconds` is a step.

    Raises ValueError for a body too stiff for the steps, and for dynamic bodies beyond one ball or guided one.
    """
    for one in soft:
        _check_resolved(one, seconds)
    moving = _moving(bodies)
    starts = np.cumsum([0] + [len(one.points) for one in soft])
    cells = _cells(soft, starts, device)
    return SoftModel(
        particles=_particles(soft, first_kick, device),
        cells=cells,
        bodies=body_arrays(bodies, first_kick, device),
        moving=moving,
        guided=moving >= 0 and isinstance(bodies[moving], Guided),
        starts=starts,
        vertices=int(starts[-1]),
        count=cells.corners.shape[0],
    )


def _check_resolved(one: SoftBody, seconds: float) -> None:
    points, cells = one.solid.vertices, one.solid.cells
    content = volumes(points, cells)
    height = min(
        float((3 * content / _area(points[cells[:, rest]])).min())
        for rest in ([1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2])
    )
    elastic = one.elastic
    spread = 4 * elastic.shear * elastic.damping / elastic.density * seconds  # m^2, of what viscosity evens out
    if content.min() <= 0.0 or elastic.sound * seconds > COURANT * height or spread > COURANT * height**2:
        raise ValueError(
            f"{one.name}: a material with waves of {elastic.sound:.0f} m/s and {elastic.damping * 1000:.1f} ms of "
            f"damping needs shorter steps than {seconds * 1000:.2f} ms in cells {height * 1000:.0f} mm high: expected "
            "a softer or denser one, or larger cells"
        )


def _area(corners: FloatArray) -> FloatArray:
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(np.linalg.norm(across, axis=1) / 2, np.float64)


def _moving(bodies: Sequence[Body]) -> int:
    moving = [number for number, body in enumerate(bodies) if body.dynamic]
    free = [number for number in moving if not isinstance(bodies[number], Guided)]
    if len(moving) > 1 or any(bodies[number].shape is not Shape.SPHERE for number in free):
        names = ", ".join(bodies[number].name for number in moving)
        raise ValueError(f"dynamic bodies: {names}; expected one ball or one guided body at most beside soft ones")
    return moving[0] if moving else -1


def _particles(soft: Sequence[SoftBody], first_kick: FloatArray, device: str) -> Particles:
    counts = [len(one.points) for one in soft]
    particles = Particles()
    particles.x = vectors(np.concatenate([one.points for one in soft]), device)
    particles.before = vectors(np.concatenate([one.points for one in soft]), device)
    particles.v = vectors(np.repeat([one.velocity for one in soft], counts, axis=0) + first_kick, device)
    particles.inverse_mass = doubles(1 / np.concatenate([one.masses for one in soft]), device)
    particles.thickness = doubles(np.repeat([one.thickness for one in soft], counts), device)
    particles.friction = doubles(np.repeat([one.elastic.friction for one in soft], counts), device)
    return particles


def _cells(soft: Sequence[SoftBody], starts: NDArray[np.int64], device: str) -> Cells:
    corners = np.concatenate([one.solid.cells + start for one, start in zip(soft, starts, strict=False)])
    rest = np.concatenate([one.solid.vertices for one in soft])
    edges = (rest[corners[:, 1:]] - rest[corners[:, :1]]).swapaxes(1, 2)
    content = volumes(rest, corners)
    counts, sizes = [len(one.solid.cells) for one in soft], [len(one.points) for one in soft]
    vertices = int(starts[-1])
    around = np.argsort(corners.ravel(), kind="stable").astype(np.int32)
    first = np.concatenate([[0], np.cumsum(np.bincount(corners.ravel(), minlength=vertices))])
    cells = Cells()
    cells.corners = wp.array(corners.astype(np.int32), dtype=wp.vec4i, device=device)
    cells.inverse = wp.array(np.linalg.inv(edges), dtype=wp.mat33d, device=device)
    cells.volume = doubles(content, device)
    cells.shear = doubles(np.repeat([one.elastic.shear for one in soft], counts), device)
    cells.viscosity = doubles(np.repeat([one.elastic.shear * one.elastic.damping for one in soft], counts), device)
    cells.f = wp.zeros(len(corners), dtype=wp.mat33d, device=device)
    cells.force = wp.zeros(4 * len(corners), dtype=wp.vec3d, device=device)
    cells.pressure = wp.zeros(vertices, dtype=wp.float64, device=device)
    cells.first = wp.array(first.astype(np.int32), dtype=wp.int32, device=device)
    cells.around = wp.array(around, dtype=wp.int32, device=device)
    cells.share = doubles(np.bincount(corners.ravel(), np.repeat(content / 4, 4), minlength=vertices), device)
    bulk = [one.elastic.lame + one.elastic.shear for one in soft]
    own = [min(one.elastic.shear * OWN_BULK, whole) for one, whole in zip(soft, bulk, strict=True)]
    cells.bulk = doubles(np.repeat(own, counts), device)
    cells.mean_bulk = doubles(np.repeat(np.subtract(bulk, own), sizes), device)
    return cells
