"""Heat along a bar by finite volumes in space and Crank and Nicolson's rule in time: second order in both."""

import numpy as np
from scipy.linalg import solve_banded

from components.simulation.scene import FloatArray


class Bar:
    """`temperature` (N,): the means of N cells of one length, in degrees C.

    conductivity in W/(m K), capacity in J/(m^3 K); ends: temperature at which an end is held, or None
    where no heat passes.
    """

    def __init__(
        self,
        temperature: FloatArray,
        *,
        length: float,
        conductivity: float,
        capacity: float,
        ends: tuple[float | None, float | None],
        dt: float,
    ) -> None:
        cells = len(temperature)
        self.temperature = temperature.copy()
        self._dt, self._capacity = dt, capacity
        rate = conductivity / capacity * (cells / length) ** 2  # 1/s between neighbours; twice that to a held end
        self._lower, self._upper = np.full(cells, rate), np.full(cells, rate)
        self._lower[0], self._upper[-1] = (0.0 if end is None else 2 * rate for end in ends)
        self._held = np.zeros(cells)
        for cell, end in zip((0, -1), ends, strict=True):
            self._held[cell] += 0.0 if end is None else 2 * rate * end
        self._bands = np.zeros((3, cells))
        self._bands[0, 1:], self._bands[2, :-1] = -dt / 2 * self._upper[:-1], -dt / 2 * self._lower[1:]
        self._bands[1] = 1 + dt / 2 * (self._lower + self._upper)

    def step(self, source: FloatArray | float = 0.0) -> None:
        """One step of `dt` with a source (N,) in W/m^3."""
        known = self.temperature + self._dt * (self._held + source / self._capacity + self._change() / 2)
        self.temperature = np.asarray(solve_banded((1, 1), self._bands, known), np.float64)

    def _change(self) -> FloatArray:
        """K/s by conduction between cells at their temperatures, and to ends held at 0."""
        t = self.temperature
        change: FloatArray = -(self._lower + self._upper) * t
        change[1:] += self._lower[1:] * t[:-1]
        change[:-1] += self._upper[:-1] * t[1:]
        return change
