"""A closed tank of clear glass: its panes hold what is inside and are not seen, its frame of grey bars is."""

from dataclasses import dataclass

import numpy as np

from components.simulation.meshes import unit_box
from components.simulation.scene import FloatArray, Thing, Vec3
from components.simulation.solvers.surfaces import Surface

BAR = 0.05  # metres: width of the frame's bars, which lie outside of the panes


@dataclass(frozen=True, kw_only=True)
class Tank(Thing):
    """`size`: length (x), width (y) and height inside, in metres; `position`: the middle of its base. Static."""

    size: Vec3

    @property
    def lower(self) -> FloatArray:
        """The inner corner (3,) of least coordinates."""
        return np.asarray(np.array(self.position) - [self.size[0] / 2, self.size[1] / 2, 0.0], np.float64)

    @property
    def upper(self) -> FloatArray:
        """The opposite corner (3,)."""
        return np.asarray(self.lower + self.size, np.float64)

    def surface(self, frames: int) -> Surface:
        """The twelve bars, at rest."""
        bars = [self._bar(axis, low, high) for axis in range(3) for low in (False, True) for high in (False, True)]
        box = unit_box()
        vertices = np.concatenate([box.vertices * half + centre for centre, half in bars])
        starts = np.arange(len(bars)) * len(box.vertices)
        return Surface(
            vertices=np.broadcast_to(vertices, (frames, *vertices.shape)),
            normals=np.broadcast_to(np.tile(box.normals, (len(bars), 1)), (frames, *vertices.shape)),
            reference=vertices,
            faces=(box.faces + starts[:, None, None]).reshape(-1, 3).astype(np.int32),
        )

    def _bar(self, axis: int, low: bool, high: bool) -> tuple[FloatArray, FloatArray]:
        """Centre and half extents of the bar along `axis`, on the lower or upper side of the two other axes.

        Bars along the same edges' ends would overlap: those along x reach over the corners, the others end there.
        """
        size = np.array(self.size)
        centre, half = self.lower + size / 2, np.full(3, BAR / 2)
        half[axis] = size[axis] / 2 + (BAR if axis == 0 else 0.0)
        for other, up in zip([other for other in range(3) if other != axis], (low, high), strict=True):
            centre[other] += (size[other] + BAR) / 2 * (1 if up else -1)
        centre[2] = max(centre[2], self.lower[2] + half[2])  # the lower bars stand on the floor
        return centre, half
