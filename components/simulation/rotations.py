"""Rotations as quaternions x, y, z, w."""

import numpy as np
from scipy.spatial.transform import Rotation

from components.simulation.scene import FloatArray, Quaternion, Vec3


def about(axis: str, degrees: float) -> Rotation:
    """Rotation about a world axis, "x", "y" or "z"."""
    return Rotation.from_euler(axis, degrees, degrees=True)


def quaternion(rotation: Rotation) -> Quaternion:
    """A single rotation as plain floats."""
    x, y, z, w = rotation.as_quat().tolist()
    return (x, y, z, w)


def matrices(quaternions: FloatArray) -> FloatArray:
    """Rotation matrices (N,3,3) of quaternions (N,4)."""
    return np.asarray(Rotation.from_quat(quaternions).as_matrix(), np.float64)


def vec3(values: FloatArray) -> Vec3:
    """Three numbers as plain floats."""
    x, y, z = values.tolist()
    return (x, y, z)
