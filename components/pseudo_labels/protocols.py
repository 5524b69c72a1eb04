"""What gives labels: a depth estimator and a flow estimator, each one protocol.

Legend: T frames, H height, W width.
"""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

DepthKind = Literal["metric", "affine_disparity", "affine_depth"]
Frames = NDArray[np.uint8]  # T,H,W,3


class DepthEstimator(Protocol):
    """Depth of every frame of a video. depth_kind: metres, or disparity or depth up to one scale and shift."""

    @property
    def depth_kind(self) -> DepthKind:
        """What the values are."""
        ...

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        """(T,H,W) of frames (T,H,W,3)."""
        ...


class FlowEstimator(Protocol):
    """Motion of every pixel from a frame to the next."""

    def predict(self, frames: Frames) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Flow (T-1,H,W,2) in pixels and its confidence (T-1,H,W) in [0,1], of frames (T,H,W,3)."""
        ...
