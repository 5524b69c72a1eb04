"""Physics-IQ with takes that are prepared once: many generated clips are scored against the same two takes.

The numbers are those of `physics_iq.score_frames`; the clips must be short enough to be held in memory.
"""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.evaluation.physics_iq_agreement import Agreement, Comparison, Mask, Small, shrink
from components.evaluation.physics_iq_masks import Frame, MaskVideo
from components.evaluation.physics_iq_score import PhysicsIqCase


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A clip as it is compared: small frames, and motion masks after the lossy video."""

    frames: tuple[Small, ...]
    masks: tuple[Mask, ...]


@dataclass(frozen=True, kw_only=True)
class Takes:
    """Two real takes of one view of one scenario, ready for any number of generated clips."""

    take1: Recording
    take2: Recording
    variance: Agreement
    size: tuple[int, int]  # width, height at which clips are compared
    fps: float


def record(frames: Iterable[Frame], *, size: tuple[int, int], fps: float) -> Recording:
    """Prepare the frames (H,W,3) of a clip; they are compared at `size` (width, height)."""
    small = []
    with tempfile.TemporaryDirectory(prefix="phys4d-physics-iq-") as folder:
        with MaskVideo(Path(folder) / "masks.mp4", fps=fps) as video:
            for frame in frames:
                small.append(shrink(frame, size))
                video.add(frame)
        return Recording(frames=tuple(small), masks=tuple(video.read(size)))


def record_takes(take1: Iterable[Frame], take2: Iterable[Frame], *, size: tuple[int, int], fps: float) -> Takes:
    """Prepare two equally long takes."""
    one, other = (record(take, size=size, fps=fps) for take in (take1, take2))
    return Takes(take1=one, take2=other, variance=agreement(one, other), size=size, fps=fps)


def score_recorded(generated: Iterable[Frame], takes: Takes, *, scenario: str, view: str) -> PhysicsIqCase:
    """Score one generated clip (T frames of H,W,3) against two takes of T frames."""
    clip = record(generated, size=takes.size, fps=takes.fps)
    return PhysicsIqCase(
        scenario=scenario,
        view=view,
        take1=agreement(clip, takes.take1),
        take2=agreement(clip, takes.take2),
        variance=takes.variance,
    )


def agreement(one: Recording, other: Recording) -> Agreement:
    """How alike two equally long recordings are."""
    comparison = Comparison()
    for frames in zip(one.frames, other.frames, strict=True):
        comparison.add_frames(*frames)
    for masks in zip(one.masks, other.masks, strict=True):
        comparison.add_masks(*masks)
    return comparison.agreement()


def enlarged(frames: NDArray[np.uint8], height: int) -> Iterator[Frame]:
    """Frames (T,H,W,3) one by one at `height` pixels, bilinear; as they are when they are that high or higher."""
    if frames.shape[1] >= height:
        yield from frames
        return
    size = (round(frames.shape[2] * height / frames.shape[1]), height)
    for frame in frames:
        yield cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
