"""How sure a flow is: it is followed there and back, and where that does not end where it began, it is wrong.

Legend: T frames, H height, W width.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from components.geometry import pixel_grid

Flow = NDArray[np.float32]  # T-1,H,W,2


def consistency_confidence(forward: Flow, backward: Flow, consistency: float) -> NDArray[np.float32]:
    """exp(-error / consistency) of flows (T-1,H,W,2): error, in pixels, is how far from p the way there and back ends.

    0 where the flow leaves the picture: nothing says whether it is right.
    """
    height, width = forward.shape[1:3]
    across, down = np.moveaxis(pixel_grid(height, width).astype(np.float32) + forward, -1, 0)
    triples = zip(backward, across, down, strict=True)
    error = np.stack([cv2.remap(flow, x, y, cv2.INTER_LINEAR) for flow, x, y in triples])
    error += forward
    distance = np.sqrt(error[..., 0] ** 2 + error[..., 1] ** 2)
    inside = (across >= 0) & (across <= width - 1) & (down >= 0) & (down <= height - 1)
    return np.where(inside, np.exp(-distance / consistency), 0).astype(np.float32)


def enlargement(height: int, width: int, *, least: int) -> int:
    """The whole number by which frames are to be enlarged so that the shorter side has `least` pixels."""
    return max(1, -(-least // min(height, width)))
