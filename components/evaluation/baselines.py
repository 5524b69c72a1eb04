"""Rows that every model is compared with: the truth itself, and the first frame standing still.

The score is Physics-IQ-style, never Physics-IQ: the benchmark's formula on small simulated clips, enlarged because its
motion masks erase small motion.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.clip import Clip
from components.errors import ClipError
from components.evaluation.physics_iq import PhysicsIqCase, PhysicsIqScore, aggregate, score_frames
from components.index import IndexRow, read_index
from components.shards import read_clip

Frames = NDArray[np.uint8]  # T,H,W,3
MODELS: dict[str, Callable[[Frames], Frames]] = {
    "truth": lambda take: take,
    "first_frame": lambda take: np.broadcast_to(take[:1], take.shape),
}


@dataclass(frozen=True, kw_only=True)
class TakePair:
    """Two takes of one configuration seen from one view."""

    take1: Clip
    take2: Clip


def take_pairs(folder: Path, rows: Sequence[IndexRow]) -> Iterator[TakePair]:
    """Every configuration and view with both takes; ClipError names one whose second take is missing."""
    by_key = {(row.configuration, row.view, row.take): row for row in rows}
    take2_of = {row.clip_id: by_key.get((row.configuration, row.view, 1)) for row in rows}
    for row in rows:
        if row.take != 0:
            continue
        other = take2_of[row.clip_id]
        if other is None:
            raise ClipError(f"clip {row.clip_id} in {folder}: has no take 2, expected two takes: set takes: 2")
        yield TakePair(take1=read_clip(folder, row.extent), take2=read_clip(folder, other.extent))


def baseline_scores(
    folder: Path, *, size: int, seed: int, resamples: int, advance: Callable[[], None]
) -> dict[str, PhysicsIqScore]:
    """The Physics-IQ-style score of every baseline on the split in `folder`, frames enlarged to `size` pixels high."""
    cases: dict[str, list[PhysicsIqCase]] = {name: [] for name in MODELS}
    for pair in take_pairs(folder, read_index(folder)):
        take1, take2 = (enlarge(clip.rgb, size) for clip in (pair.take1, pair.take2))
        meta = pair.take1.meta
        for name, model in MODELS.items():
            case = score_frames(
                model(take1),
                take1,
                take2,
                fps=meta.fps,
                scenario=meta.configuration,
                view=str(meta.view),
                seconds=None,
            )
            cases[name].append(case)
        advance()
    return {name: aggregate(members, seed=seed, resamples=resamples) for name, members in cases.items()}


def enlarge(frames: Frames, height: int) -> Frames:
    """Frames (T,H,W,3) at `height` pixels, bilinear; as they are when they are that high or higher."""
    if frames.shape[1] >= height:
        return frames
    width = round(frames.shape[2] * height / frames.shape[1])
    return np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR) for frame in frames]).astype(
        np.uint8
    )
