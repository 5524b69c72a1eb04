"""Ropes: chains of straight links that bend freely and do not stretch."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from components.simulation.scene import FloatArray, Kind, Thing, Vec3


@dataclass(frozen=True, kw_only=True)
class Rope(Thing):
    """`points` (metres, at frame 0): the ends of its links, which are of one length; mass is that of the whole.

    first and last: names of the things the ends are tied to, empty where they are not. At frame 0 the rope turns
    about its first point with `angular_velocity`.
    """

    kind: ClassVar[Kind] = "deformable"

    points: tuple[Vec3, ...]
    radius: float
    first: str = ""
    last: str = ""
    friction: float = 0.5
    rolling_friction: float = 0.0
    restitution: float = 0.0

    @property
    def link(self) -> float:
        """Length of a link in metres."""
        return float(np.linalg.norm(np.subtract(self.points[1], self.points[0])))

    @property
    def middles(self) -> FloatArray:
        """Centres (N,3) of the links."""
        points = np.array(self.points)
        return np.asarray((points[1:] + points[:-1]) / 2, np.float64)
