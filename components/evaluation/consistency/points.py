"""4D Chamfer distance and corresponded tracks: moving points of a video against those of truth.

Legend: T frames, N points of a frame (another number in every frame), P tracked points. Metres in the world. Distances
are cut at `cap`, as in `components.evaluation.chamfer`: a quarter of the scene's diameter, the diagonal of the box of
all true points over time. A frame with points on one side alone counts as the cap, with none on both sides as 0; a
point that is not finite lies as far as the cap.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.evaluation.chamfer import CAP, nearest_distances
from components.evaluation.consistency.arrays import Floats, Measured, MeasureError, Sizes, Values

JOINT_POINTS = 1000  # of a frame at most: the joint distance searches all frames at once


@dataclass(frozen=True, kw_only=True)
class Chamfer:
    """l1: mean distance in metres; l2: mean squared distance in m^2; each the mean of the two directions."""

    l1: float
    l2: float


def diameter(frames: Sequence[Values]) -> float:
    """Diagonal in metres of the box of all points (N,3) of all frames; 0 when there are none."""
    joined = np.concatenate([np.zeros((0, 3)), *(Sizes().truth("points", points, "N", 3) for points in frames)])
    return float(np.linalg.norm(np.ptp(joined, axis=0))) if len(joined) else 0.0


def chamfer_per_frame(predicted: Sequence[Values], truth: Sequence[Values]) -> Chamfer | None:
    """Chamfer distance of each frame's points (N,3), mean over frames (Fan et al., 2017, for the two norms).

    None: no frame, or truth has no size.
    """
    pairs, cap = _pairs(predicted, truth)
    if not pairs or cap == 0:
        return None
    each = [_distances(one, other, cap) for one, other in pairs]
    return Chamfer(l1=float(np.mean([_l1(*both) for both in each])), l2=float(np.mean([_l2(*both) for both in each])))


def chamfer_joint(
    predicted: Sequence[Values], truth: Sequence[Values], *, fps: float, speed: float | None = None
) -> Chamfer | None:
    """Chamfer distance of all frames' points at once, as points (x, y, z, speed t) of four dimensions.

    `speed` (lambda) in m/s says how many metres a second is worth; by default the scene's diameter over the clip's
    length, so that space and time weigh the same. Of every frame at most JOINT_POINTS points, evenly spaced in their
    order. What comes late is as far as the shorter way, through space or through time. None: as `chamfer_per_frame`, or
    one frame alone and no `speed`.
    """
    pairs, cap = _pairs(predicted, truth)
    if not pairs or cap == 0 or (len(pairs) < 2 and speed is None):
        return None
    pace = cap / CAP * fps / (len(pairs) - 1) if speed is None else speed
    one, other = (
        np.concatenate([_at(frame, number * pace / fps) for number, frame in enumerate(side)])
        for side in zip(*pairs, strict=True)
    )
    both = _distances(one, other, cap)
    return Chamfer(l1=_l1(*both), l2=_l2(*both))


def track_errors(tracks: Values, truth: Values) -> tuple[float, float] | None:
    """ADE, FDE in metres: mean distance of corresponded points (T,P,3) over all frames but the first, and at the end.

    As in forecasting (Alahi et al., 2016). A lost point is NaN and taken to stay where it was seen last, before that
    where truth begins. None: one frame, or no points.
    """
    sizes = Sizes()
    truth = sizes.truth("truth", truth, "T", "P", 3)
    tracks = carried_forward(sizes.floats("tracks", tracks, "T", "P", 3), truth[0] if len(truth) else truth)
    if truth.shape[0] < 2 or truth.shape[1] == 0:
        return None
    apart = np.linalg.norm(tracks - truth, axis=-1)[1:]
    return float(apart.mean()), float(apart[-1].mean())


def carried_forward(points: Floats, start: Floats) -> Floats:
    """Points (T,P,3) in which one that is not finite stays where it was before, at first at `start` (P,3)."""
    filled, previous = points.copy(), start
    for row in filled:
        lost = ~np.isfinite(row).all(axis=-1)
        row[lost] = previous[lost]
        previous = row
    return filled


def of_diameter(value: Measured, size: float) -> Measured:
    """`value` in metres over the scene's diameter in metres, a ratio; None: no value, or no size."""
    return value / size if value is not None and size > 0 else None


def _pairs(predicted: Sequence[Values], truth: Sequence[Values]) -> tuple[list[tuple[Floats, Floats]], float]:
    if len(predicted) != len(truth):
        raise MeasureError(
            f"points of {len(predicted)} frames against {len(truth)} of truth, expected as many: they are compared "
            "frame by frame; cut both to the same frames"
        )
    found = [Sizes().floats("predicted points", points, "N", 3) for points in predicted]
    wanted = [Sizes().truth("true points", points, "N", 3) for points in truth]
    return list(zip(found, wanted, strict=True)), CAP * diameter(wanted)


def _distances(one: Floats, other: Floats, cap: float) -> tuple[Floats, Floats]:
    """Both directions' distances; lost points of `one` lie as far as `cap`."""
    good = np.isfinite(one).all(axis=-1)
    if not len(one) and not len(other):
        return np.zeros(1), np.zeros(1)
    if not good.any() or not len(other):
        return np.full(1, cap), np.full(1, cap)
    there, back = nearest_distances(one[good], other, cap=cap)
    return np.concatenate([there, np.full(int((~good).sum()), cap)]), back


def _l1(there: Floats, back: Floats) -> float:
    return float(there.mean() + back.mean()) / 2


def _l2(there: Floats, back: Floats) -> float:
    return float((there**2).mean() + (back**2).mean()) / 2


def _at(points: Floats, moment: float) -> Floats:
    chosen = points
    if len(points) > JOINT_POINTS:
        chosen = points[np.linspace(0, len(points) - 1, JOINT_POINTS).round().astype(int)]
    return np.column_stack([chosen, np.full(len(chosen), moment)])
