"""Which metrics of the catalogue each instrument allows, as the columns of a table; NaN is not defined.

The judge reads depth, flow and objects off RGB; a 4D model's heads say depth, flow and depth change. Neither follows
material points, so what needs them is in no row of a generated video.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.evaluation.consistency.catalogue import FRECHET, METRICS
from components.evaluation.consistency.observed import Observed
from components.evaluation.consistency.truth import Truth
from components.evaluation.consistency.world import world_metrics

_FOLLOW_POINTS = {"volume_variation", "track_ade", "track_fde", "track_ade_ratio", "track_fde_ratio"}
_KNOW_DEPTH_CHANGE = {"scene_flow_epe3d", "scene_flow_acc3ds", "scene_flow_acc3dr", "depth_warp_l1_own"}
_KNOWN_AS = {"static_flow_epe"}  # a metric of the judge of the same name and definition

JUDGED = tuple(
    metric.name for metric in METRICS if metric.name not in {FRECHET, *_FOLLOW_POINTS, *_KNOW_DEPTH_CHANGE, *_KNOWN_AS}
)
SAID_BY_HEADS = tuple(
    metric.name
    for metric in METRICS
    if metric.name in {"tae", "moving_tae", "moving_depth_absrel", "depth_warp_l1", *_KNOW_DEPTH_CHANGE}
    or metric.name.startswith(("depth_absrel", "depth_delta1"))
    or "_flow_" in metric.name
)


def measure_columns(names: Sequence[str], video: Observed, truth: Truth) -> NDArray[np.float64]:
    """Metrics (names,) of the catalogue; NaN where there is nothing to measure."""
    found = world_metrics(video, truth)
    return np.array([found.get(name, np.nan) for name in names])
