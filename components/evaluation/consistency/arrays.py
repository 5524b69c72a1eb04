"""Arrays at the door: numpy or torch in, float64 numpy out, of the sizes that were expected.

A metric that has nothing to measure is None, never NaN. What a model gave may hold anything: values that are not
finite are wrong values, and every metric says how wrong. Truth that is not finite where it counts is an error.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from components.errors import Phys4dError

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Values: TypeAlias = Any  # numpy array, torch tensor, or nested sequences of numbers
Measured: TypeAlias = float | None  # None: nothing to measure


class MeasureError(Phys4dError):
    """Arrays that cannot be measured against one another; the message names the array."""


class Sizes:
    """The sizes of one call: a letter of a shape, such as T, is the same number in every array; T-1 is one less."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def floats(self, name: str, values: Values, *shape: int | str) -> Floats:
        """`values` as float64; MeasureError where the shape is another."""
        return self._fit(name, _numpy(values).astype(np.float64), shape)

    def mask(self, name: str, values: Values, *shape: int | str) -> Mask:
        """`values` as booleans."""
        found: Mask = self._fit(name, _numpy(values), shape).astype(np.bool_)
        return found

    def integers(self, name: str, values: Values, *shape: int | str) -> NDArray[np.int64]:
        """`values` as integers, such as ids."""
        found: NDArray[np.int64] = self._fit(name, _numpy(values), shape).astype(np.int64)
        return found

    def truth(self, name: str, values: Values, *shape: int | str, where: Mask | None = None) -> Floats:
        """As `floats`, for what is measured against: MeasureError where it is not finite (and `where` counts)."""
        found = self.floats(name, values, *shape)
        counted = np.isfinite(found)
        if where is not None:
            counted = counted | ~where.reshape(where.shape + (1,) * (found.ndim - where.ndim))
        if not counted.all():
            place = tuple(int(index) for index in np.argwhere(~counted)[0])
            raise MeasureError(
                f"{name}{list(place)} is {found[place]}, expected a finite number: what is measured against must be "
                "finite wherever it counts"
            )
        return found

    def _fit(self, name: str, found: NDArray[Any], shape: tuple[int | str, ...]) -> NDArray[Any]:
        expected = [self._size(size, found, axis) for axis, size in enumerate(shape)]
        if list(found.shape) != expected:
            raise MeasureError(
                f"{name} has shape {found.shape}, expected ({', '.join(map(str, expected))}), which is "
                f"({', '.join(map(str, shape))}): prediction and truth must have the same frames and the same picture; "
                "cut or resize one of them"
            )
        return found

    def _size(self, size: int | str, found: NDArray[Any], axis: int) -> int | str:
        """What an axis should be: known, or as it is found."""
        if isinstance(size, int):
            return size
        letter, less = size.removesuffix("-1"), size.endswith("-1")
        if axis < found.ndim:
            self._known.setdefault(letter, found.shape[axis] + less)
        return self._known[letter] - less if letter in self._known else size


def mean_of(values: NDArray[Any]) -> Measured:
    """The mean; None of nothing."""
    return float(values.mean(dtype=np.float64)) if values.size else None


def _numpy(values: Values) -> NDArray[Any]:
    if hasattr(values, "detach"):  # a torch tensor, without importing torch
        values = values.detach().cpu()
        values = values.double().numpy() if values.is_floating_point() else values.numpy()
    return np.asarray(values)
