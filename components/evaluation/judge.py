"""The independent judge: reads objects, depth and motion off RGB video and measures them against the simulator.

No part of it was trained with, or is part of, a model under test: objects are found by their colour (`colours`), depth
by a network that was trained on clips of its own, motion by classical optical flow. Every row of the evaluation is
measured so, real video included; the row `truth` alone is the simulator's annotation, measured against itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from components.clip import Clip
from components.evaluation.chamfer import CAP, MovingPoints, chamfer_4d, dynamic_pixels, moving_points, points_of
from components.evaluation.colours import SEEN, Found, Located, Palette, find_objects, locate, palette_of
from components.evaluation.consistency.observed import Observed
from components.evaluation.consistency.truth import Truth
from components.evaluation.instruments import JUDGED, measure_columns
from components.evaluation.motion import (
    Flow,
    depth_warp,
    end_point_errors,
    mean_where,
    object_depth_changes,
    optical_flow,
)
from components.evaluation.physics_iq_agreement import COLUMNS
from components.evaluation.physics_iq_recorded import Takes, agreement, enlarged, record_takes, score_recorded
from components.evaluation.physics_iq_score import PhysicsIqCase
from components.evaluation.takes import TakePair
from components.evaluation.trajectories import centroid_errors, lost, permanence

PHYSICS_IQ_COLUMNS = tuple(f"{name}{end}" for end in ("", "_take2", "_variance") for name in COLUMNS)
WORLD_METRICS = (
    "centroid_error",  # px, mean over time
    "centroid_final_error",  # px, at the end
    "permanence",
    "chamfer",  # m
    "chamfer_ratio",  # of the scene's diameter
    "depth_warp",  # m
    "flow_epe",  # px, on visible points of dynamic objects
    "static_flow_epe",  # px, on all other visible points: motion where there is none
)
METRICS = (*WORLD_METRICS, *JUDGED, *PHYSICS_IQ_COLUMNS)
STATIC_WORLD = 1  # its id in segmentations


class DepthReader(Protocol):
    """What the judge needs of its depth network."""

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """z-depth (...,H,W) in metres of frames (...,H,W,3)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Videos:
    """Samples of one clip, N of them: frames (N,T,H,W,3), and the depth (N,T,H,W) that the judge's network read."""

    frames: NDArray[np.uint8]
    depth: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is read off one video."""

    found: Found
    depth: NDArray[np.float32]
    flow: Flow


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What the videos of one clip are measured against."""

    clip: Clip
    world: Truth  # the same clip and take 2, for the metrics of the catalogue
    palette: Palette
    located: Located  # as found in the true video
    points: MovingPoints
    depth_changes: NDArray[np.float64]  # T-1,K
    takes: Takes
    size: int  # pixels that frames are enlarged to before the score


def prepare(pair: TakePair, *, size: int) -> Reference:
    """Read the truth once for all videos of a clip; `size` is the height of frames in the Physics-IQ-style score."""
    clip = pair.take1
    palette = palette_of(clip)
    height, width = clip.rgb.shape[1:3]
    scale = max(1.0, size / height)
    quarter = (round(width * scale) // 4, round(height * scale) // 4)
    one, other = (enlarged(take.rgb, size) for take in (pair.take1, pair.take2))
    return Reference(
        clip=clip,
        world=Truth(clip=clip, take2=pair.take2),
        palette=palette,
        located=locate(find_objects(clip.rgb, palette).labels, len(palette.ids)),
        points=moving_points(clip),
        depth_changes=object_depth_changes(clip, palette.ids),
        takes=record_takes(one, other, size=quarter, fps=clip.meta.fps),
        size=size,
    )


def measure_clip(pair: TakePair, rows: Mapping[str, Videos], *, size: int) -> dict[str, NDArray[np.float64]]:
    """METRICS (N,metrics) of every row's videos of one clip, and of the truth itself."""
    reference = prepare(pair, size=size)
    measured = {"truth": truth_metrics(reference)[None]}
    for row, videos in rows.items():
        measured[row] = np.stack(
            [video_metrics(frames, depth, reference) for frames, depth in zip(videos.frames, videos.depth, strict=True)]
        )
    return measured


def video_metrics(frames: NDArray[np.uint8], depth: NDArray[np.float32], reference: Reference) -> NDArray[np.float64]:
    """METRICS of one video (T,H,W,3) with the depth (T,H,W) that the judge's network read."""
    reading = Reading(found=find_objects(frames, reference.palette), depth=depth, flow=optical_flow(frames))
    meta = reference.clip.meta
    case = score_recorded(
        enlarged(frames, reference.size), reference.takes, scenario=meta.configuration, view=str(meta.view)
    )
    seen = Observed(rgb=frames, depth=depth, flow=reading.flow, segmentation=_identified(reading.found, reference))
    return _metrics(reading, seen, case, reference)


def truth_metrics(reference: Reference) -> NDArray[np.float64]:
    """METRICS of the simulator's own video, depth, motion and ids."""
    clip, takes = reference.clip, reference.takes
    found = Found(labels=find_objects(clip.rgb, reference.palette).labels, foreground=dynamic_pixels(clip))
    case = PhysicsIqCase(
        scenario=clip.meta.configuration,
        view=str(clip.meta.view),
        take1=agreement(takes.take1, takes.take1),
        take2=takes.variance,
        variance=takes.variance,
    )
    return _metrics(Reading(found=found, depth=clip.depth, flow=clip.flow), Observed.of(clip), case, reference)


def _identified(found: Found, reference: Reference) -> NDArray[np.int64]:
    """Labels as the simulator's segmentation (T,H,W): the ids of objects, the static world elsewhere."""
    ids: NDArray[np.int64] = np.append(reference.palette.ids, STATIC_WORLD)[found.labels]  # the last for NOTHING
    return ids


def _metrics(reading: Reading, seen: Observed, case: PhysicsIqCase, reference: Reference) -> NDArray[np.float64]:
    clip, moving = reference.clip, dynamic_pixels(reference.clip)[:-1]
    dynamic, truth = reference.palette.dynamic, reference.located
    located = locate(reading.found.labels, len(dynamic))
    error, final = centroid_errors(located.centres[:, dynamic], truth.centres[:, dynamic])
    gone = lost(located.areas, truth.areas)
    shown = np.minimum(truth.areas[:-1], truth.areas[1:])
    errors = end_point_errors(reading.flow, clip.flow)
    distance = chamfer_4d(points_of(reading.depth, reading.found.foreground, clip), reference.points)
    world = (
        error,
        final,
        permanence(located.areas[:, dynamic], truth.areas[:, dynamic]),
        distance,
        distance / reference.points.diameter if reference.points.diameter else float("nan"),
        depth_warp(
            reading.depth,
            reading.flow,
            reading.found.labels,
            reference.depth_changes,
            lost=np.where((gone[:-1] | gone[1:]) & (shown >= SEEN), shown, 0),
            cap=CAP * reference.points.diameter,
        ),
        mean_where(errors, clip.visible & moving),
        mean_where(errors, clip.visible & ~moving),
    )
    return np.array([*world, *measure_columns(JUDGED, seen, reference.world), *case.columns()])
