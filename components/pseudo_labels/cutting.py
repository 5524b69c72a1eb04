"""Videos to clips: cut where the scene changes, into pieces of T frames, without those in which nothing moves.

Legend: T frames, H height, W width.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from components.pseudo_labels.reading import Frame, Shown
from components.pseudo_labels.storage import motion_of

LEVELS = 4  # of each colour channel in a frame's histogram


class Cause(StrEnum):
    """What a reader of videos has to say."""

    NO_VIDEO_FILE = "left out, no mp4, mov, webm or gif"
    UNREADABLE = "left out"
    SHORT = "left out, shorter than a clip"
    STATIC = "left out, nothing moves"
    NO_FILE = "caption without its file"
    SLOW = "used, but faster than in the world"
    REPEATED = "used, but with frames that stand still"


@dataclass(frozen=True, kw_only=True)
class Remark:
    """A file, a scene or a clip that is left out, or used with a fault. source: the file, or the simulated clip."""

    source: str
    cause: str
    detail: str


def clips_of(
    shown: Iterable[Shown], *, source: str, frames: int, min_motion: float, scene_cut: float
) -> Iterator[NDArray[np.uint8] | Remark]:
    """Clips (T,H,W,3) of `frames` frames, one after the other within each scene, and what is left out instead.

    A scene's last frames that fill no clip are dropped; a scene without any clip is said. min_motion: mean change from
    frame to frame, in grey levels; scene_cut: `histogram_distance` beyond which a new scene begins.
    """
    waiting: list[Frame] = []
    length, before = 0, None
    for one in shown:
        cut = not one.continues or (before is not None and histogram_distance(before, one.image) > scene_cut)
        if cut and length:
            if length < frames:
                yield _short(source, length, frames)
            waiting, length = [], 0
        before = one.image
        waiting.append(one.image)
        length += 1
        if len(waiting) == frames:
            clip = np.stack(waiting)
            yield is_static(clip, source=source, min_motion=min_motion) or clip
            waiting = []
    if length < frames:
        yield _short(source, length, frames)


def is_static(clip: NDArray[np.uint8], *, source: str, min_motion: float) -> Remark | None:
    """A remark on a clip (T,H,W,3) in which less than `min_motion` changes; None where there is enough."""
    motion = motion_of(clip)
    if motion >= min_motion:
        return None
    return Remark(source=source, cause=Cause.STATIC, detail=f"motion {motion:.3g}, expected {min_motion:g}")


def histogram_distance(first: Frame, second: Frame) -> float:
    """Share of the pixels (H,W,3) whose coarse colour would have to change: 0 the same colours, 1 no colour shared."""
    return float(np.abs(_histogram(first) - _histogram(second)).sum() / 2)


def _histogram(image: Frame) -> NDArray[np.float64]:
    levels = (image // (256 // LEVELS)).reshape(-1, 3).astype(np.intp)
    colours = np.ravel_multi_index(tuple(levels.T), (LEVELS,) * 3)
    return np.asarray(np.bincount(colours, minlength=LEVELS**3) / len(levels), np.float64)


def _short(source: str, length: int, frames: int) -> Remark:
    return Remark(source=source, cause=Cause.SHORT, detail=f"{length} frames, expected at least {frames}")
