"""Cloth in its place: held by four posts, hung from a rod, flown from a pole, or spread out in the air."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from components.simulation.props.fabric import Fabric, rod
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, FloatArray, Vec3
from components.simulation.things.membrane import Air, Membrane

POST, CORNER = 0.03, 0.11  # metres: radius of a post; how far in from a corner a cloth is held
ROD, BEYOND = 0.03, 0.2  # metres: radius of a curtain's rod, and how much longer than the curtain it is
FOLDS, FOLD = 3, 0.02  # of a curtain at frame 0, and their depth in metres
RIPPLE, WAVE = 0.015, 0.7  # metres of height and length: a cloth is never quite flat, and folds begin somewhere
POLE_RADIUS, POLE_HEIGHT = 0.035, 2.6  # metres
WAVES = 1.5  # periods of a flag's ripple along it


def held_by_corners(
    fabric: Fabric, *, size: float, level: float, yaw: float, grey: float
) -> tuple[Body | Membrane, ...]:
    """Four posts and the square cloth between them, both `level` metres high."""
    turn = about("z", yaw)

    def place(flat: FloatArray) -> FloatArray:
        return np.asarray(turn.apply(flat) + np.array([0.0, 0.0, level]), np.float64)

    def held(flat: FloatArray) -> NDArray[np.bool_]:
        from_corner = size / 2 - np.abs(flat[:, :2])
        return np.asarray(from_corner.sum(axis=1) < CORNER, np.bool_)

    half = size / 2 + POST
    corners = turn.apply([[x * half, y * half, level / 2] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    posts = tuple(
        rod("post", radius=POST, length=level, position=(x, y, z), grey=grey, assembly="frame")
        for x, y, z in corners.tolist()
    )
    return (*posts, fabric.sheet("cloth", size=(size, size), place=place, pinned=held, assembly="frame"))


def hung_from_rod(
    fabric: Fabric, *, size: tuple[float, float], top: FloatArray, yaw: float, grey: float
) -> tuple[Body, Membrane]:
    """A rod whose middle is at `top` (3,), across `yaw` degrees from +x, and the curtain that hangs from it."""
    width, height = size
    across = about("z", yaw) * about("z", 90.0)  # x along the rod

    def place(flat: FloatArray) -> FloatArray:
        wave = FOLD * np.sin(2 * np.pi * FOLDS * flat[:, 0] / width)
        hung = np.stack([flat[:, 0], wave, flat[:, 1] - height / 2], axis=1)
        return np.asarray(across.apply(hung) + top, np.float64)

    def held(flat: FloatArray) -> NDArray[np.bool_]:
        return np.asarray(flat[:, 1] > height / 2 - 1e-9, np.bool_)

    turned = quaternion(across * about("y", 90.0))
    rail = rod("rod", radius=ROD, length=width + BEYOND, position=vec3(top), grey=grey, turned=turned, assembly="rod")
    return rail, fabric.sheet("curtain", size=size, place=place, pinned=held, assembly="rod")


def flown_from_pole(
    fabric: Fabric, *, size: tuple[float, float], yaw: float, ripple: float, air: Air, grey: float
) -> tuple[Body, Membrane]:
    """A pole and the flag that is fixed to it by an edge, spread out towards `yaw` degrees from +x."""
    length, height = size
    turn = about("z", yaw)
    foot = -np.array(vec3(turn.apply([1.0, 0.0, 0.0]))) * length / 2

    def place(flat: FloatArray) -> FloatArray:
        out = flat[:, 0] + length / 2
        wave = ripple * np.sin(2 * np.pi * WAVES * out / length) * out / length
        level = POLE_HEIGHT - height / 2 - POLE_RADIUS + flat[:, 1]
        return np.asarray(turn.apply(np.stack([out + POLE_RADIUS, wave, level], axis=1)) + foot, np.float64)

    def held(flat: FloatArray) -> NDArray[np.bool_]:
        return np.asarray(flat[:, 0] < -length / 2 + 1e-9, np.bool_)

    middle = (float(foot[0]), float(foot[1]), POLE_HEIGHT / 2)
    pole = rod("pole", radius=POLE_RADIUS, length=POLE_HEIGHT, position=middle, grey=grey, assembly="flag")
    return pole, fabric.sheet("flag", size=size, place=place, pinned=held, air=air, assembly="flag")


def spread_out(fabric: Fabric, *, size: float, centre: FloatArray, turn: Rotation, velocity: Vec3) -> Membrane:
    """A square cloth in the air, flat but for a ripple, whose lowest point is at the height of `centre` (3,)."""

    def place(flat: FloatArray) -> FloatArray:
        wave = RIPPLE * (1 + np.sin(2 * np.pi * (flat[:, 0] + 0.3 * flat[:, 1]) / WAVE))
        return np.asarray(turn.apply(flat) + centre + wave[:, None] * np.array([0.0, 0.0, 1.0]), np.float64)

    return fabric.sheet("cloth", size=(size, size), place=place, velocity=velocity)
