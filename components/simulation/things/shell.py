"""Inflatables: closed shells around a gas."""

from dataclasses import dataclass

import numpy as np

from components.simulation.meshes import unit_sphere
from components.simulation.scene import FloatArray, Texture, Vec3
from components.simulation.things.membrane import (
    STILL_VACUUM,
    Air,
    Gas,
    Membrane,
    centre_of_mass,
    edges_of,
    enclosed_volume,
    face_areas,
)

THICKNESS = 0.006  # metres kept from bodies
AMBIENT_PRESSURE = 101_325.0  # Pa


@dataclass(frozen=True, kw_only=True)
class Skin:
    """density in kg/m^2; stiffness: Young's modulus times thickness, N/m; bending: flexural rigidity, N m."""

    density: float
    stiffness: float
    bending: float
    friction: float
    material: str


def shell(
    *,
    name: str,
    texture: Texture,
    rest: FloatArray,
    points: FloatArray,
    skin: Skin,
    gas: Gas,
    pinned: np.ndarray | None = None,
    air: Air = STILL_VACUUM,
    velocity: Vec3 = (0.0, 0.0, 0.0),
    assembly: str = "",
) -> Membrane:
    """A shell with the vertices of the icosphere: unstressed `rest` (642,3) and at frame 0 `points` (642,3).

    Springs along its edges have k = E h A / l^2, A the faces on either side (Van Gelder 1998): on equilateral
    triangles an isotropic membrane with Poisson's ratio 1/3. The gas' mass does not count.
    """
    faces = unit_sphere().faces
    springs = edges_of(faces)
    keys = {(int(a), int(b)): row for row, (a, b) in enumerate(springs)}
    beside = np.zeros(len(springs))
    for face, area in zip(faces.tolist(), face_areas(rest, faces), strict=True):
        for a, b in ((face[0], face[1]), (face[1], face[2]), (face[2], face[0])):
            beside[keys[min(a, b), max(a, b)]] += area
    lengths = np.linalg.norm(rest[springs[:, 0]] - rest[springs[:, 1]], axis=1)
    return Membrane(
        name=name,
        texture=texture,
        position=centre_of_mass(points, rest, faces),
        velocity=velocity,
        mass=skin.density * float(face_areas(rest, faces).sum()),
        material=skin.material,
        assembly=assembly,
        points=points,
        rest=rest,
        faces=faces,
        springs=springs,
        stiffness=skin.stiffness * beside / lengths**2,
        bending=skin.bending,
        pinned=np.zeros(len(rest), bool) if pinned is None else pinned,
        thickness=THICKNESS,
        friction=skin.friction,
        air=air,
        gas=gas,
    )


def sphere_points(radius: float) -> FloatArray:
    """The icosphere's vertices (642,3) around the origin; `radius` is the mean one."""
    return np.asarray(unit_sphere().vertices * radius, np.float64)


def cushion_points(half_extents: Vec3, roundness: float) -> FloatArray:
    """A superellipsoid's vertices (642,3) around the origin: |x/a|^n + |y/b|^n + |z/c|^2 = 1 with n = roundness."""
    direction = unit_sphere().normals
    scaled = np.abs(direction)
    rim = (scaled[:, 0] ** roundness + scaled[:, 1] ** roundness) ** (2 / roundness)
    radius = 1 / np.sqrt(rim + scaled[:, 2] ** 2)
    return np.asarray(direction * radius[:, None] * np.array(half_extents), np.float64)


def gas_at(points: FloatArray, pressure: float) -> float:
    """Amount (m^3 at ambient pressure) that fills a shell of the icosphere's faces at an overpressure in Pa."""
    return enclosed_volume(points, unit_sphere().faces) * (1 + pressure / AMBIENT_PRESSURE)
