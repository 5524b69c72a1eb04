"""Optical flow without weights: OpenCV's DIS, forward and backward, whose disagreement says how sure it is.

Legend: T frames, H height, W width.
"""

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from components.pseudo_labels.consistency import Flow, consistency_confidence, enlargement
from components.pseudo_labels.protocols import Frames

LEAST_SIDE = 64  # pixels: smaller frames are enlarged, for the search begins on a coarse picture
LARGE_SIDE = 256  # pixels: of larger frames, flow is computed on half the picture and enlarged
ITERATIONS = 25  # of gradient descent in a patch
STRIDE = 5  # pixels between patches


class DisFlow:
    """consistency: pixels of forward-backward error at which confidence is 1/e.

    The fastest preset, on a finer picture: on moving pixels of small simulated clips as near to the truth as the preset
    MEDIUM on frames twice as large, in a quarter of the time.
    """

    def __init__(self, *, consistency: float) -> None:
        self._consistency = consistency
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._search.setGradientDescentIterations(ITERATIONS)
        self._search.setPatchStride(STRIDE)

    def predict(self, frames: Frames) -> tuple[Flow, NDArray[np.float32]]:
        """Flow (T-1,H,W,2) and confidence (T-1,H,W) of frames (T,H,W,3)."""
        height, width = frames.shape[1:3]
        self._search.setFinestScale(1 if min(height, width) >= LARGE_SIDE else 0)
        scale = enlargement(height, width, least=LEAST_SIDE)
        size = (scale * width, scale * height)
        grey = [cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size) for frame in frames]
        pairs = list(itertools.pairwise(grey))
        forward = np.stack([self._flow(first, second, scale) for first, second in pairs])
        backward = np.stack([self._flow(second, first, scale) for first, second in pairs])
        return forward, consistency_confidence(forward, backward, self._consistency)

    def _flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8], scale: int) -> NDArray[np.float32]:
        flow = self._search.calc(first, second, None)  # type: ignore[call-overload]
        if scale == 1:
            return np.asarray(flow, np.float32)
        height, width = first.shape
        small = cv2.resize(flow, (width // scale, height // scale), interpolation=cv2.INTER_AREA)
        return np.asarray(small / scale, np.float32)
