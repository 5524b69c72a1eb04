"""Videos with something in them: a bright square that moves over a smooth ground."""

import numpy as np

from components.backbones.base import Frames


def make_videos(count: int, *, frames: int, side: int, seed: int) -> Frames:
    """Videos (count,frames,side,side,3), each with its own ground, colour and velocity."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 1, side)
    made = np.zeros((count, frames, side, side, 3), np.uint8)
    for video in made:
        tilt = rng.uniform(20, 80, (2, 3))
        video[:] = (60 + ramp[:, None, None] * tilt[0] + ramp[None, :, None] * tilt[1]).astype(np.uint8)
        colour, start, speed = rng.integers(0, 256, 3), rng.uniform(2, side - 12, 2), rng.uniform(-1, 1, 2)
        for number, frame in enumerate(video):
            row, column = np.clip(start + number * speed, 0, side - 8).astype(int)
            frame[row : row + 8, column : column + 8] = colour
    return made


def psnr(found: Frames, wanted: Frames) -> float:
    """Decibels."""
    error = float(np.mean((found.astype(np.float64) - wanted) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))
