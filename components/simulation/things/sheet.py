"""Rectangular sheets of cloth."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from components.simulation.scene import FloatArray, Texture, Vec3
from components.simulation.things.membrane import STILL_VACUUM, Air, Membrane, centre_of_mass

SHEAR = 0.15  # stiffness of diagonals over that of threads: woven cloth gives way along them
MOST_STRAIN = 0.25  # threads that are straight give no further: nothing slips between them
THICKNESS = 0.016  # metres kept from bodies: at 50 mm between vertices, less than faces cut off a ball or an edge


def sheet(
    *,
    name: str,
    texture: Texture,
    size: tuple[float, float],
    cells: tuple[int, int],
    place: Callable[[FloatArray], FloatArray],
    density: float,
    stiffness: float,
    bending: float,
    pinned: Callable[[FloatArray], NDArray[np.bool_]] | None = None,
    friction: float = 0.5,
    air: Air = STILL_VACUUM,
    velocity: Vec3 = (0.0, 0.0, 0.0),
    material: str = "cotton",
    assembly: str = "",
) -> Membrane:
    """A sheet of `size` metres in `cells`, whose flat points (V,3), z = 0, centred, `place` puts into the world.

    density in kg/m^2; stiffness of the threads in N/m (force over width and strain); bending in N m; `pinned` says of
    the flat points which never move. Its modulus along the threads is k (k + 2 d) / (k + d) with k = stiffness and
    d = SHEAR k, where cells are square.
    """
    rest = _grid(size, cells)
    faces = _faces(cells)
    springs, factors = _springs(size, cells)
    points = place(rest)
    return Membrane(
        name=name,
        texture=texture,
        position=centre_of_mass(points, rest, faces),
        velocity=velocity,
        mass=density * size[0] * size[1],
        material=material,
        assembly=assembly,
        points=points,
        rest=rest,
        faces=faces,
        springs=springs,
        stiffness=stiffness * factors,
        bending=bending,
        pinned=np.zeros(len(rest), bool) if pinned is None else pinned(rest),
        thickness=THICKNESS,
        most_strain=MOST_STRAIN,
        friction=friction,
        air=air,
    )


def _grid(size: tuple[float, float], cells: tuple[int, int]) -> FloatArray:
    """Points row by row: x runs fastest."""
    x, y = (np.linspace(-length / 2, length / 2, count + 1) for length, count in zip(size, cells, strict=True))
    across, along = np.meshgrid(x, y)
    return np.stack([across.ravel(), along.ravel(), np.zeros(across.size)], axis=1)


def _numbers(cells: tuple[int, int]) -> NDArray[np.int32]:
    return np.arange((cells[0] + 1) * (cells[1] + 1), dtype=np.int32).reshape(cells[1] + 1, cells[0] + 1)


def _faces(cells: tuple[int, int]) -> NDArray[np.int32]:
    """Two triangles a cell; their diagonals alternate, so that no direction is preferred."""
    number = _numbers(cells)
    a, b, c, d = (corner.ravel() for corner in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]))
    rows, columns = np.indices((cells[1], cells[0]))
    rising = ((rows + columns) % 2 == 0).ravel()[:, None]
    first = np.where(rising, np.stack([a, b, c], axis=1), np.stack([a, b, d], axis=1))
    second = np.where(rising, np.stack([a, c, d], axis=1), np.stack([b, c, d], axis=1))
    return np.stack([first, second], axis=1).reshape(-1, 3).astype(np.int32)


def _springs(size: tuple[float, float], cells: tuple[int, int]) -> tuple[NDArray[np.int32], FloatArray]:
    """Threads, of half the strength along the border, and both diagonals of each cell, as shares of the stiffness."""
    number = _numbers(cells)
    dx, dy = size[0] / cells[0], size[1] / cells[1]
    along_x = np.full((cells[1] + 1, cells[0]), dy / dx)
    along_x[[0, -1]] /= 2
    along_y = np.full((cells[1], cells[0] + 1), dx / dy)
    along_y[:, [0, -1]] /= 2
    pairs = [
        (number[:, :-1], number[:, 1:], along_x),
        (number[:-1], number[1:], along_y),
        (number[:-1, :-1], number[1:, 1:], np.full(cells[::-1], SHEAR)),
        (number[:-1, 1:], number[1:, :-1], np.full(cells[::-1], SHEAR)),
    ]
    springs = np.concatenate([np.stack([start.ravel(), end.ravel()], axis=1) for start, end, _ in pairs])
    return springs.astype(np.int32), np.concatenate([factor.ravel() for *_, factor in pairs])
