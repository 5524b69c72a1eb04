"""Moving pictures for offline pages: frames of equal height beside or below each other, as looping WebP in a data URI.

Legend: T frames, H, W.
"""

import base64
import io
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

GAP = 8  # pixels between tiles
LAST = 700  # milliseconds for which the last frame stays
METHOD = 2  # of WebP, 0 to 6: a third of the time of 4, its default, and 5 % more bytes (two strips of 17 frames)
NO_KEY_FRAMES = {"kmin": 1_000_000, "kmax": 1_000_001}

Picture = NDArray[np.uint8]


def stride(frames: int, *, most: int) -> int:
    """Every how many-th frame is shown, so that at most `most` are."""
    return -(-frames // most)


def durations(frames: int, fps: int, *, most: int, slower: int) -> list[int]:
    """Milliseconds of every frame shown, at a `slower`-th of the world's speed; the last one stays for a while."""
    step = stride(frames, most=most)
    times = [round(1000 * slower * step / fps)] * -(-frames // step)
    return [*times[:-1], times[-1] + LAST]


def scaled(frames: NDArray[Any], interpolation: int, *, height: int) -> NDArray[Any]:
    """Frames (T,H,W,...) about `height` high: small ones enlarged by a whole factor, pixel by pixel."""
    found, width = frames.shape[1:3]
    if found <= height:
        factor = max(1, height // found)
        return frames.repeat(factor, axis=1).repeat(factor, axis=2)
    size = (max(1, round(width * height / found)), height)
    return np.stack([cv2.resize(frame, size, interpolation=interpolation) for frame in frames])


def opaque(frames: Picture) -> Picture:
    """Frames (T,H,W,3) with an alpha channel."""
    return np.concatenate([frames, np.full((*frames.shape[:3], 1), 255, np.uint8)], axis=-1)


def joined(parts: Sequence[Picture], *, axis: int) -> Picture:
    """Pictures (T,H,W,4) below (axis 1) or beside (axis 2) each other; between them the page shows through."""
    shape = list(parts[0].shape)
    shape[axis] = GAP
    gap = np.zeros(shape, np.uint8)
    return np.concatenate([piece for part in parts for piece in (gap, part)][1:], axis=axis)


def webp(frames: Picture, times: Sequence[int], quality: int) -> bytes:
    """Frames (T,H,W,3 or 4) as WebP, each for its milliseconds; several frames move and loop.

    Nobody looks for a frame in the middle: no other than the first is a key frame.
    """
    images = [Image.fromarray(frame) for frame in frames]
    stream = io.BytesIO()
    moving = {"save_all": True, "append_images": images[1:], "duration": list(times), "loop": 0, **NO_KEY_FRAMES}
    images[0].save(stream, "webp", quality=quality, method=METHOD, **(moving if len(images) > 1 else {}))
    return stream.getvalue()


def data_uri(content: bytes) -> str:
    """WebP bytes as what stands in the page."""
    return "data:image/webp;base64," + base64.b64encode(content).decode()
