"""Which object is where, read off RGB alone: simulated objects are coloured, all that is static is grey.

An object is known by its hue in the first frame of the true video. A pixel is coloured when its largest and smallest
channel are more than CHROMA apart; it is an object's when no other object's hue is nearer and its own lies within
HUE_DISTANCE. Shadows and mirror images of objects on grey ground stay grey.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from components.clip import Clip

CHROMA = 70  # of 255
HUE_DISTANCE = 15  # of 180: OpenCV counts hues in steps of two degrees
SEEN = 6  # pixels: an object of fewer is not seen
HUES = 180
NOTHING = -1


@dataclass(frozen=True, kw_only=True)
class Palette:
    """The objects (K,) that are seen in the first frame: hue, id in the segmentation, whether they move."""

    hues: NDArray[np.float64]
    ids: NDArray[np.int64]
    dynamic: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where objects are found in a video.

    labels (T,H,W): number of the object in the palette, or NOTHING. foreground (T,H,W): coloured, and of no known
    static object: where anything dynamic is, even in a colour that no object has.
    """

    labels: NDArray[np.int64]
    foreground: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Located:
    """The objects of a video: centres (T,K,2), x and y in pixels, NaN below SEEN pixels; areas (T,K) in pixels."""

    centres: NDArray[np.float64]
    areas: NDArray[np.int64]


def palette_of(clip: Clip) -> Palette:
    """The objects of a simulated clip whose colour can be told from its first frame."""
    hue, coloured = _hue_and_coloured(clip.rgb[:1])
    known = []
    for thing in clip.objects:
        here = coloured[0] & (clip.segmentation[0] == thing.id)
        if np.count_nonzero(here) >= SEEN:
            known.append((_circular_mean(hue[0][here]), thing.id, thing.dynamic))
    hues, ids, dynamic = zip(*known, strict=True) if known else ((), (), ())
    return Palette(
        hues=np.array(hues, np.float64), ids=np.array(ids, np.int64), dynamic=np.array(dynamic, dtype=np.bool_)
    )


def find_objects(frames: NDArray[np.uint8], palette: Palette) -> Found:
    """The objects of `palette` in a video (T,H,W,3)."""
    hue, coloured = _hue_and_coloured(frames)
    if not len(palette.hues):
        return Found(labels=np.full(hue.shape, NOTHING, np.int64), foreground=coloured)
    apart = np.abs(np.arange(HUES)[:, None] - palette.hues)
    apart = np.minimum(apart, HUES - apart)
    nearest = np.where(apart.min(axis=1) < HUE_DISTANCE, apart.argmin(axis=1), NOTHING)  # of each hue
    labels = np.where(coloured, nearest[hue], NOTHING)
    static = np.append(~palette.dynamic, False)  # the last for NOTHING
    return Found(labels=labels, foreground=coloured & ~static[labels])


def locate(labels: NDArray[np.int64], count: int) -> Located:
    """Where the objects of labels (T,H,W) are, and how large: `count` is that of the palette."""
    frames = len(labels)
    t, y, x = np.nonzero(labels != NOTHING)
    place = t * count + labels[t, y, x]
    areas = np.bincount(place, minlength=frames * count)
    sums = np.stack([np.bincount(place, weights=axis, minlength=frames * count) for axis in (x, y)], axis=-1)
    centres = np.full((frames * count, 2), np.nan)
    seen = areas >= SEEN
    centres[seen] = sums[seen] / areas[seen, None]
    return Located(centres=centres.reshape(frames, count, 2), areas=areas.reshape(frames, count))


def _hue_and_coloured(frames: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Hue (T,H,W) in 0..179, and where it means something."""
    frames = np.ascontiguousarray(frames)
    hsv = cv2.cvtColor(frames.reshape(-1, frames.shape[2], 3), cv2.COLOR_RGB2HSV).reshape(frames.shape)
    red, green, blue = (frames[..., channel] for channel in range(3))  # a reduction over so short an axis is slow
    largest, smallest = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    return hsv[..., 0].astype(np.uint8, copy=False), largest - smallest > CHROMA


def _circular_mean(hues: NDArray[np.uint8]) -> float:
    """Mean of hues on their circle: red lies at both ends."""
    turn = np.exp(2j * np.pi * hues / HUES).mean()
    return float(np.angle(turn) / (2 * np.pi) * HUES % HUES)
