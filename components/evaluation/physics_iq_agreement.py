"""How alike two clips are, frame by frame, in the four columns of Physics-IQ."""

from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from components.evaluation.physics_iq_masks import Frame

Small = NDArray[np.float32]  # h,w,3 in [0, 1], a quarter of take 1's size
Mask = NDArray[np.bool_]  # h,w


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How alike two clips are; the IoUs are 1 and the MSE 0 for equal clips."""

    st_iou: float  # motion masks, frame by frame: where and when
    s_iou: float  # masks joined over time: where
    ws_iou: float  # masks averaged over time: where and how much
    mse: float  # pixels in [0, 1], frame by frame: how


LEVELS = (np.arange(256) / 255.0).astype(np.float32)
COLUMNS = tuple(column.name for column in fields(Agreement))


class Comparison:
    """Two clips, frame by frame; the values are rounded to 4 decimals as the benchmark stores them."""

    def __init__(self) -> None:
        self._ious: list[float] = []
        self._errors: list[float] = []
        self._totals: list[NDArray[np.uint16]] = []

    def add_frames(self, one: Small, other: Small) -> None:
        """Compare the pixels of the next frame."""
        self._errors.append(round(float(np.mean((one - other) ** 2)), 4))

    def add_masks(self, one: Mask, other: Mask) -> None:
        """Compare the motion masks of the next frame."""
        if not self._totals:
            self._totals = [np.zeros(one.shape, np.uint16) for _ in range(2)]
        for total, mask in zip(self._totals, (one, other), strict=True):
            np.add(total, mask, out=total)
        self._ious.append(round(_iou(one, other), 4))

    def agreement(self) -> Agreement:
        """The columns over all frames, of which there is one at least."""
        one, other = (total / len(self._ious) for total in self._totals)
        joined = np.maximum(one, other).sum()
        return Agreement(
            st_iou=float(np.mean(self._ious)),
            s_iou=_iou(one > 0, other > 0),
            ws_iou=float(np.minimum(one, other).sum() / joined) if joined else 1.0,
            mse=float(np.mean(self._errors)),
        )


def shrink(frame: Frame, size: tuple[int, int]) -> Small:
    """A frame (H,W,3) as its pixels are compared: at `size` (width, height), in [0, 1]."""
    return np.asarray(cv2.LUT(cv2.resize(frame, size), LEVELS), np.float32)


def _iou(one: Mask, other: Mask) -> float:
    joined = np.count_nonzero(one | other)
    return float(np.count_nonzero(one & other) / joined) if joined else 1.0
