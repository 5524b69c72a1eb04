"""Air in a closed box that heat sets in motion: Boussinesq's approximation by finite volumes.

Differences of density count as weight and not as inertia (50 K over 293 K: 17 %). Air itself has neither viscosity nor
conduction that would show at this scale; what the limiter of the fluxes spreads stands for both. Walls are smooth and
let no heat pass. NumPy alone, in float64: same start, same bytes; heat is kept to rounding.

Legend: X, Y, Z cells; Q quantities: three velocities and the excess of temperature in K.
"""

import numpy as np
from scipy.fft import dctn, idctn

from components.simulation.scene import FloatArray, Vec3


class Air:
    """The state of the air: `cells` (4,X,Y,Z) velocities in m/s and excess in K, `faces` velocities between cells.

    Velocities of cells are carried along; those of faces carry, and have no divergence: each axis' (X+1,Y,Z),
    (X,Y+1,Z) or (X,Y,Z+1) array is 0 at the walls.
    """

    def __init__(self, excess: FloatArray, *, cell: FloatArray, expansion: float, gravity: Vec3, dt: float) -> None:
        """`excess` (X,Y,Z) at rest; cell: metres along each axis; expansion in 1/K."""
        self.cells = np.concatenate([np.zeros((3, *excess.shape)), excess[None]])
        self.faces = [np.zeros([n + (axis == other) for other, n in enumerate(excess.shape)]) for axis in range(3)]
        self._cell, self._dt = cell, dt
        self._buoyancy = -expansion * np.array(gravity)
        wave = [(2 * np.cos(np.pi * np.arange(n) / n) - 2) / h**2 for n, h in zip(excess.shape, cell, strict=True)]
        self._laplacian = wave[0][:, None, None] + wave[1][:, None] + wave[2]
        self._laplacian[0, 0, 0] = 1.0  # the mean pressure: any

    def step(self) -> None:
        """One step of `dt`: advection (Heun), buoyancy, then pressure (Chorin's projection)."""
        before = self.cells
        once = before + self._dt * self._advection(before)
        after = (before + once + self._dt * self._advection(once)) / 2
        excess = (before[3] + after[3]) / 2
        changed = []
        for axis in range(3):
            carried = _between(after[axis], axis)
            pushed = self._dt * self._buoyancy[axis] * _between(excess, axis)
            changed.append((carried, pushed))
        pressure = self._pressure([carried + pushed for carried, pushed in changed])
        for axis, (carried, pushed) in enumerate(changed):
            kept = pushed - _gradient(pressure, axis, self._cell[axis])
            after[axis] += (_low(kept, axis) + _high(kept, axis)) / 2
            self.faces[axis] = carried + kept
        self.cells = after

    def _advection(self, cells: FloatArray) -> FloatArray:
        """Change (4,X,Y,Z) a second: van Leer's limited fluxes through the faces."""
        change = np.zeros_like(cells)
        for axis, speed in enumerate(self.faces):
            flux = _flux(cells, axis + 1, speed)
            change -= (_high(flux, axis + 1) - _low(flux, axis + 1)) / self._cell[axis]
        return change

    def _pressure(self, faces: list[FloatArray]) -> FloatArray:
        """(X,Y,Z), times dt over density, whose gradient is the faces' divergent part."""
        divergence = sum((_high(v, axis) - _low(v, axis)) / self._cell[axis] for axis, v in enumerate(faces))
        return np.asarray(idctn(dctn(divergence) / self._laplacian), np.float64)


def _low(faces: FloatArray, axis: int) -> FloatArray:
    """Of every cell, the face at its lower side."""
    return faces[(slice(None),) * axis + (slice(None, -1),)]


def _high(faces: FloatArray, axis: int) -> FloatArray:
    return faces[(slice(None),) * axis + (slice(1, None),)]


def _walled(inner: FloatArray, axis: int) -> FloatArray:
    """Faces between cells, with those of the walls at 0."""
    return np.pad(inner, [(1, 1) if other == axis else (0, 0) for other in range(inner.ndim)])


def _between(cells: FloatArray, axis: int) -> FloatArray:
    """Means of neighbouring cells; 0 at the walls."""
    return _walled((_low(cells, axis) + _high(cells, axis)) / 2, axis)


def _gradient(cells: FloatArray, axis: int, cell: float) -> FloatArray:
    return _walled(np.diff(cells, axis=axis) / cell, axis)


def _flux(cells: FloatArray, axis: int, speed: FloatArray) -> FloatArray:
    """What faces carry a second and m^2: values of where the air comes from, with van Leer's (1974) harmonic slope."""
    steps = np.diff(cells, axis=axis)
    low, high = _low(steps, axis), _high(steps, axis)
    product, both = low * high, low + high
    slope = _walled(np.divide(product, both, out=np.zeros_like(product), where=product > 0), axis)  # half of it
    inner = _low(_high(speed, axis - 1), axis - 1)
    carried = np.where(inner > 0, _low(cells + slope, axis), _high(cells - slope, axis))
    return _walled(inner * carried, axis)
