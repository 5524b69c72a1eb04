"""A funnel: two sloping plates in a tank, from pane to pane, with a slot between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.simulation.props.stands import slab
from components.simulation.rotations import about
from components.simulation.scene import Body, FloatArray

PLATE = 0.08  # metres: thickness


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """length and width of the tank, breadth of the slot, height of its lip in metres; steep: degrees of the plates."""

    length: float
    width: float
    slot: float
    lip: float
    steep: float

    def plates(self) -> tuple[Body, Body]:
        """Left and right: their upper surfaces begin at the lip of the slot and rise outwards."""
        return self._plate("left plate", -1.0), self._plate("right plate", 1.0)

    def _plate(self, name: str, way: float) -> Body:
        half = (self.length - self.slot) / 4 / float(np.cos(np.radians(self.steep)))  # it ends at the pane
        corner = np.array([way * self.slot / 2, 0.0, self.lip])
        turn = about("y", -way * self.steep)
        return slab(name, (half, self.width / 2, PLATE / 2), corner, turn, way=way, friction=0.6)

    def above(
        self, points: FloatArray, *, radius: float, lift: float, depth: float, across: float
    ) -> NDArray[np.bool_]:
        """Which of points (P,3) are those of grains that fill it `depth` metres deep, `lift` metres clear of it."""
        slope = np.radians(self.steep)
        rise = np.maximum(np.abs(points[:, 0]) - self.slot / 2, 0.0) * np.tan(slope)
        over = points[:, 2] - self.lip - rise
        level = over.min() + lift  # over the slot grains begin at the lip, over the plates clear of them
        low = np.maximum(radius / np.cos(slope) + lift, level)
        top = self.lip + depth + across / 4 * np.tan(slope)
        return np.asarray((over > low) & (points[:, 2] < top), np.bool_)
