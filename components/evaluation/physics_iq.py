"""Physics-IQ: does a generated clip move where, when and as much as reality did, twice?

S. Motamed et al., Do generative video models understand physical principles?, 2025 (arXiv 2501.09038); the numbers
are those of the benchmark's public code, its roundings and lossy mask video included. Below about 240 pixels a
side the 5x5 opening erases small motion and a static clip scores high: enlarge small clips before scoring them, and
never quote a score of small clips beside the benchmark's.

Clips are uint8 RGB (T, H, W, 3); files are read as BGR, as the benchmark does. Only the grey of the masks depends on
the order of the channels, and is converted by it; the MSE is a mean over channels.
"""

import math
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.errors import ClipError
from components.evaluation.physics_iq_agreement import Comparison, shrink
from components.evaluation.physics_iq_masks import Frame, MaskVideo, Order
from components.evaluation.physics_iq_score import PhysicsIqCase

SECONDS = 5.0
GENERATED, TAKE1, TAKE2 = range(3)
CLIPS = ("generated", "take 1", "take 2")
PAIRS = ((GENERATED, TAKE1), (GENERATED, TAKE2), (TAKE1, TAKE2))


def score_frames(
    generated: NDArray[np.uint8],
    take1: NDArray[np.uint8],
    take2: NDArray[np.uint8],
    *,
    fps: float = 8.0,
    scenario: str = "scenario",
    view: str = "",
    seconds: float | None = None,
) -> PhysicsIqCase:
    """Score one clip against two takes; all (T, H, W, 3) uint8 RGB at `fps` frames a second.

    The first `seconds` are used (the benchmark's are 5); None takes the whole of three equally long clips. The clips
    may differ in height and width: everything is compared at a quarter of take 1's. ClipError for a clip of another
    kind or too short.
    """
    clips = (generated, take1, take2)
    count = len(take1) if seconds is None else frames_in(seconds, fps=fps)
    for name, clip in zip(CLIPS, clips, strict=True):
        _check(f"{name} of {scenario} {view}".rstrip(), clip, count=count, whole=seconds is None)
    return score_streams(*(clip[:count] for clip in clips), fps=fps, scenario=scenario, view=view)


def frames_in(seconds: float, *, fps: float) -> int:
    """How many frames start within the first `seconds`."""
    return math.ceil(seconds * fps - 1e-6)


def score_streams(
    generated: Iterable[Frame],
    take1: Iterable[Frame],
    take2: Iterable[Frame],
    *,
    fps: float,
    scenario: str,
    view: str = "",
    order: Order = "rgb",
) -> PhysicsIqCase:
    """Score equally long clips that come frame by frame, in step: memory does not grow with their length.

    `order` is that of the channels of their frames.
    """
    comparisons = [Comparison() for _ in PAIRS]
    with tempfile.TemporaryDirectory(prefix="phys4d-physics-iq-") as folder:
        videos = [MaskVideo(Path(folder) / f"{index}.mp4", fps=fps, order=order) for index in range(3)]
        size = _compare_frames((generated, take1, take2), videos, comparisons)
        for triple in zip(*(video.read(size) for video in videos), strict=True):
            for comparison, (first, second) in zip(comparisons, PAIRS, strict=True):
                comparison.add_masks(triple[first], triple[second])
    agreements = [comparison.agreement() for comparison in comparisons]
    return PhysicsIqCase(scenario=scenario, view=view, take1=agreements[0], take2=agreements[1], variance=agreements[2])


def _compare_frames(
    clips: Sequence[Iterable[Frame]], videos: Sequence[MaskVideo], comparisons: Sequence[Comparison]
) -> tuple[int, int]:
    """Read the clips in step: their masks go to video, their pixels are compared; a quarter of take 1's size."""
    size = (0, 0)
    with ExitStack() as stack:
        for video in videos:
            stack.enter_context(video)
        for frames in zip(*clips, strict=True):
            size = quarter(frames[TAKE1])
            small = [shrink(frame, size) for frame in frames]
            for video, frame in zip(videos, frames, strict=True):
                video.add(frame)
            for comparison, (first, second) in zip(comparisons, PAIRS, strict=True):
                comparison.add_frames(small[first], small[second])
    return size


def quarter(frame: Frame) -> tuple[int, int]:
    """A quarter of a frame's size (width, height): where clips are compared."""
    return frame.shape[1] // 4, frame.shape[0] // 4


def _check(name: str, clip: NDArray[np.uint8], *, count: int, whole: bool) -> None:
    if clip.ndim != 4 or clip.shape[3] != 3 or clip.dtype != np.uint8 or min(clip.shape[1:3]) < 4:
        raise ClipError(
            f"{name} is {clip.dtype} {clip.shape}, expected uint8 (frames, height, width, 3) of 4 pixels or more: "
            "give decoded RGB frames"
        )
    if len(clip) < max(count, 1) or (whole and len(clip) != count):
        expected = f"exactly {max(count, 1)}, as many as take 1" if whole else f"at least {count}"
        raise ClipError(f"{name} has {len(clip)} frames, expected {expected}: give longer clips or another duration")
