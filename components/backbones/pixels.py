"""Frames of 0..255 as the video autoencoders take and give them: -1..1, channels before time."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from components.backbones.base import Frames


def to_signed(frames: "Frames") -> Tensor:
    """(B,T,H,W,3) of 0..255 to (B,3,T,H,W) of -1..1, float32."""
    return torch.from_numpy(np.ascontiguousarray(frames)).movedim(-1, 1).float() / 255 * 2 - 1


def to_levels(video: Tensor) -> "Frames":
    """(B,3,T,H,W) of -1..1 to (B,T,H,W,3) of 0..255; what lies beyond is cut off."""
    levels = (video.cpu().float() / 2 + 0.5).clamp(0, 1) * 255
    frames: Frames = levels.round().to(torch.uint8).movedim(1, -1).numpy()
    return frames
