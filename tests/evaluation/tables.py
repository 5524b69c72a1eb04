"""Tables of figures that were not measured, for tests of what is made of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from components.evaluation.judge import METRICS
from components.evaluation.table import Table

IOUS = {"st_iou": 0.4, "s_iou": 0.5, "ws_iou": 0.3, "mse": 0.01}
TAKES = {"st_iou_variance": 0.8, "s_iou_variance": 0.9, "ws_iou_variance": 0.85, "mse_variance": 0.002}


def videos(clips: int, samples: int = 1, **metrics: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """METRICS (clips,samples,metrics): plausible columns of the score, 1 elsewhere, but for `metrics`."""
    values = np.ones((clips, samples, len(METRICS)))
    for name, value in (IOUS | TAKES | metrics).items():
        values[..., METRICS.index(name)] = value
    return values


def table(
    rows: Mapping[str, NDArray[np.float64]],
    *,
    heads: Mapping[str, NDArray[np.float64]] | None = None,
    configurations: Sequence[str] | None = None,
) -> Table:
    """One clip a configuration, unless they are given."""
    count = len(next(iter(rows.values())))
    return Table(
        clip_ids=[f"test-rigid-{number:06d}-v0-t0" for number in range(count)],
        configurations=configurations or [f"{number:064x}" for number in range(count)],
        videos=rows,
        heads=heads or {},
    )
