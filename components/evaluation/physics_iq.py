"""Physics-IQ: does a generated clip move where, when and as much as reality did, twice?

S. Motamed et al., Do generative video models understand physical principles?, 2025 (arXiv 2501.09038); the numbers
are those of the benchmark's public code, its roundings and lossy mask video included. Below about 240 pixels a
side the 5x5 opening erases small motion and a static clip scores high: enlarge small clips before scoring them, and
never quote a score of small clips beside the benchmark's.

Clips are uint8 RGB (T, H, W, 3). Only the grey conversion of the masks depends on the order of the channels: the
benchmark reads BGR and converts it as BGR, which gives the same grey; the MSE is a mean over channels.
"""

import math
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.errors import ClipError
from components.evaluation.bootstrap import RESAMPLES, percentile_interval, resampled_means
from components.evaluation.physics_iq_masks import Frame, MaskVideo

SECONDS = 5.0
GENERATED, TAKE1, TAKE2 = range(3)
CLIPS = ("generated", "take 1", "take 2")
PAIRS = ((GENERATED, TAKE1), (GENERATED, TAKE2), (TAKE1, TAKE2))
VARIANCE_DECIMALS = (4, 5, 4, 4)  # of st_iou, s_iou, ws_iou and mse between the takes


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How alike two clips are; the IoUs are 1 and the MSE 0 for equal clips."""

    st_iou: float  # motion masks, frame by frame: where and when
    s_iou: float  # masks joined over time: where
    ws_iou: float  # masks averaged over time: where and how much
    mse: float  # pixels in [0, 1], frame by frame: how


COLUMNS = tuple(column.name for column in fields(Agreement))


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqCase:
    """One generated clip against the two real takes of one view of one scenario."""

    scenario: str
    view: str
    take1: Agreement  # generated and take 1: this is what is scored
    take2: Agreement  # generated and take 2
    variance: Agreement  # take 1 and take 2: how much reality differs from itself

    @property
    def score(self) -> float:
        """The benchmark's formula on this case alone, 0 to 100."""
        return float(_scores(_columns(self)))


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqScore:
    """The score of a set of cases, 0 to 100, with the means it comes from."""

    score: float
    take1: Agreement
    take2: Agreement
    variance: Agreement  # rounded as the benchmark rounds it before it divides
    n: int  # cases, that is generated clips
    scenarios: int
    interval: tuple[float, float] | None  # 95 %, over scenarios; None for one scenario: its spread is unknown

    def to_json(self) -> dict[str, object]:
        """The score, its columns by name, n and the interval."""
        columns = {name: getattr(self.take1, name) for name in COLUMNS}
        columns |= {f"{name}_take2": getattr(self.take2, name) for name in COLUMNS}
        columns |= {f"{name}_variance": getattr(self.variance, name) for name in COLUMNS}
        interval = None if self.interval is None else list(self.interval)
        return {
            "score": self.score,
            "columns": columns,
            "n": self.n,
            "scenarios": self.scenarios,
            "interval": interval,
        }


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
) -> PhysicsIqCase:
    """Score equally long clips that come frame by frame, in step: memory does not grow with their length."""
    with tempfile.TemporaryDirectory(prefix="phys4d-physics-iq-") as folder:
        masks = [MaskVideo(Path(folder) / f"{index}.mp4", fps=fps) for index in range(3)]
        size, errors = _squared_errors((generated, take1, take2), masks)
        agreements = _agreements(masks, size, errors)
    return PhysicsIqCase(scenario=scenario, view=view, take1=agreements[0], take2=agreements[1], variance=agreements[2])


def aggregate(cases: Sequence[PhysicsIqCase], *, seed: int = 0, resamples: int = RESAMPLES) -> PhysicsIqScore:
    """The benchmark's score: means over views and scenarios first, then the formula, rounded to 2 decimals.

    A ratio to takes that do not agree at all (0 of 0) counts 0: nothing was shown. `seed` and `resamples` are the
    bootstrap's.
    """
    if not cases:
        raise ValueError("a Physics-IQ score needs at least one case, got none")
    names = sorted({case.scenario for case in cases})
    table = np.stack([np.mean([_columns(case) for case in cases if case.scenario == name], axis=0) for name in names])
    interval = None
    if len(names) > 1:
        rng = np.random.default_rng(seed)
        interval = percentile_interval(_scores(resampled_means(table, rng=rng, resamples=resamples)))
    means = table.mean(axis=0)
    return PhysicsIqScore(
        score=float(_scores(means)),
        take1=_agreement(means[:4]),
        take2=_agreement(means[4:8]),
        variance=_agreement(_rounded_variance(means[8:])),
        n=len(cases),
        scenarios=len(names),
        interval=interval,
    )


@dataclass(slots=True)
class _Comparison:
    """The frame-by-frame values of two clips, rounded to 4 decimals as the benchmark stores them."""

    first: int
    second: int
    ious: list[float] = field(default_factory=list)

    def add(self, masks: Sequence[NDArray[np.bool_]]) -> None:
        self.ious.append(round(_iou(masks[self.first], masks[self.second]), 4))

    def agreement(self, totals: Sequence[NDArray[np.uint16]], errors: Sequence[float]) -> Agreement:
        """`totals` are the masks of each clip summed over time, `errors` the MSE of each frame."""
        one, other = (totals[index] / len(self.ious) for index in (self.first, self.second))
        joined = np.maximum(one, other).sum()
        return Agreement(
            st_iou=float(np.mean(self.ious)),
            s_iou=_iou(one > 0, other > 0),
            ws_iou=float(np.minimum(one, other).sum() / joined) if joined else 1.0,
            mse=float(np.mean(errors)),
        )


def _squared_errors(
    clips: Sequence[Iterable[Frame]], masks: Sequence[MaskVideo]
) -> tuple[tuple[int, int], list[list[float]]]:
    """Read the clips in step: their masks go to video; a quarter of take 1's size and the MSEs per pair come back."""
    errors: list[list[float]] = [[] for _ in PAIRS]
    size = (0, 0)
    with ExitStack() as stack:
        for mask in masks:
            stack.enter_context(mask)
        for frames in zip(*clips, strict=True):
            size = (frames[TAKE1].shape[1] // 4, frames[TAKE1].shape[0] // 4)
            small = [(cv2.resize(frame, size) / 255.0).astype(np.float32) for frame in frames]
            for mask, frame in zip(masks, frames, strict=True):
                mask.add(frame)
            for values, (first, second) in zip(errors, PAIRS, strict=True):
                values.append(round(float(np.mean((small[first] - small[second]) ** 2)), 4))
    return size, errors


def _agreements(masks: Sequence[MaskVideo], size: tuple[int, int], errors: Sequence[list[float]]) -> list[Agreement]:
    """Compare the masks of the three clips as they come back from their videos."""
    comparisons = [_Comparison(first, second) for first, second in PAIRS]
    totals = [np.zeros(size[::-1], np.uint16) for _ in masks]
    for triple in zip(*(mask.read(size) for mask in masks), strict=True):
        for index, mask in enumerate(triple):
            totals[index] += mask
        for comparison in comparisons:
            comparison.add(triple)
    return [comparison.agreement(totals, values) for comparison, values in zip(comparisons, errors, strict=True)]


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    joined = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / joined if joined else 1.0


def _columns(case: PhysicsIqCase) -> NDArray[np.float64]:
    return np.array([*astuple(case.take1), *astuple(case.take2), *astuple(case.variance)])


def _agreement(means: NDArray[np.float64]) -> Agreement:
    return Agreement(**dict(zip(COLUMNS, means.tolist(), strict=True)))


def _rounded_variance(variance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.round(variance[..., i], decimals) for i, decimals in enumerate(VARIANCE_DECIMALS)], axis=-1)


def _scores(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """100 (mean of the IoUs over those of the takes - excess MSE), cut to 0..100, of columns (..., 12)."""
    ious, mse = columns[..., :3], columns[..., 3]
    variance = _rounded_variance(columns[..., 8:])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(ious == 0, 0.0, ious / variance[..., :3])
    scores: NDArray[np.float64] = 100 * (ratios.mean(axis=-1) - (mse - variance[..., 3]))
    return scores.clip(0, 100).round(2)


def _check(name: str, clip: NDArray[np.uint8], *, count: int, whole: bool) -> None:
    if clip.ndim != 4 or clip.shape[3] != 3 or clip.dtype != np.uint8 or min(clip.shape[1:3]) < 4:
        raise ClipError(
            f"{name} is {clip.dtype} {clip.shape}, expected uint8 (frames, height, width, 3) of 4 pixels or more: "
            "give decoded RGB frames"
        )
    if len(clip) < max(count, 1) or (whole and len(clip) != count):
        expected = f"exactly {max(count, 1)}, as many as take 1" if whole else f"at least {count}"
        raise ClipError(f"{name} has {len(clip)} frames, expected {expected}: give longer clips or another duration")
