"""A chute: a sloping plank in a tank, from whose lower end what lies on it runs off."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from components.simulation.props.stands import slab
from components.simulation.rotations import about
from components.simulation.scene import Body, FloatArray

LENGTH, THICKNESS = 1.5, 0.16  # metres down the slope; no less than a cell of the solver's grid
BEYOND = 0.1  # metres from the middle of the tank to the lower end


@dataclass(frozen=True, kw_only=True)
class Chute:
    """angle in degrees; way: 1 where it goes down towards +x, -1 towards -x; end: metres up to its lower end."""

    angle: float
    way: int
    end: float

    def plank(self, width: float) -> Body:
        """The plank, of a width in metres."""
        return slab("plank", (LENGTH / 2, width / 2, THICKNESS / 2), self._corner, self._turn, way=-1.0)

    def lay(self, points: FloatArray) -> FloatArray:
        """Points (P,3) with x down the slope from the lower end, z up from its surface, in the world."""
        return np.asarray(self._turn.apply(points) + self._corner, np.float64)

    @property
    def _turn(self) -> Rotation:
        """x down the slope, z its normal."""
        return about("z", 0.0 if self.way > 0 else 180.0) * about("y", self.angle)

    @property
    def _corner(self) -> FloatArray:
        """The middle (3,) of the upper edge of the lower end."""
        return np.array([BEYOND * self.way, 0.0, self.end])
