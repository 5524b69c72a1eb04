"""What a 4D model's own heads say of its own video, against the simulator, and how far the judge agrees with them.

Never mixed with the judge's figures: an instrument that was trained with the model does not judge it alone. Rows are
named `STAGE_own`.
"""

import numpy as np
from numpy.typing import NDArray

from components.evaluation.consistency.depth import abs_rel
from components.evaluation.consistency.flow import flow_errors
from components.evaluation.consistency.observed import Observed
from components.evaluation.consistency.truth import Truth
from components.evaluation.heads import Read
from components.evaluation.instruments import SAID_BY_HEADS, measure_columns
from components.evaluation.motion import optical_flow

AGREEMENT = (
    "agreement_depth_absrel",  # heads' depth against the judge's, over all pixels
    "agreement_flow_epe",  # px: heads' flow against the judge's optical flow, over all pixels
)
OWN_METRICS = (*SAID_BY_HEADS, *AGREEMENT)


def own_row(stage: str) -> str:
    """The name of a stage's row."""
    return f"{stage}_own"


def own_metrics(
    read: Read, frames: NDArray[np.uint8], judged: NDArray[np.float32], truth: Truth
) -> NDArray[np.float64]:
    """OWN_METRICS of a generated video (T,H,W,3) of which the judge's network read the depth `judged` (T,H,W)."""
    video = Observed(depth=read.depth, flow=read.flow, depth_change=read.depth_change)
    return np.array([*measure_columns(SAID_BY_HEADS, video, truth), *_agreement(read, frames, judged)])


def _agreement(read: Read, frames: NDArray[np.uint8], judged: NDArray[np.float32]) -> tuple[float, float]:
    known = np.isfinite(judged) & (judged > 0)
    depth = None if read.depth is None else abs_rel(read.depth, judged, known)
    if read.flow is None:
        flow = None
    else:
        seen = optical_flow(frames)
        flow = flow_errors(read.flow, seen, np.ones(seen.shape[:-1], np.bool_))
    return np.nan if depth is None else depth, np.nan if flow is None else flow.epe
