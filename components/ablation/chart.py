"""Differences between variants as a chart: a panel for each metric, a line for each comparison, a dot for each seed."""

import io
from collections.abc import Sequence
from typing import Any

from components.ablation.comparison import Difference

COLOURS = {"better": "#1a7f4b", "worse": "#b3261e", "unclear": "#6b7280"}
TITLES = {
    "score": "Physics-IQ-style score, points (higher is better)",
    "centroid_error": "centroid error, pixels (lower is better)",
    "chamfer": "4D Chamfer, metres (lower is better)",
    "permanence": "permanence (higher is better)",
    "depth_warp": "depth-warp (lower is better)",
    "head_foreground_absrel": "heads: relative error of foreground depth (lower is better)",
    "head_moving_flow_epe": "heads: end-point error of moving flow, pixels (lower is better)",
    "head_foreground_iou": "heads: overlap of foreground masks (higher is better)",
}


def draw(found: Sequence[Difference]) -> bytes:
    """The chart as a PNG; the same differences give the same bytes.

    What is compared with the base is left out where anything else is: beside it the others could not be seen.
    """
    from matplotlib.figure import Figure

    found = [one for one in found if one.like != "base"] or list(found)
    names = list(dict.fromkeys((one.backbone, one.variant, one.like) for one in found))
    metrics = list(dict.fromkeys(one.metric for one in found))
    figure = Figure(figsize=(12.5, 1.0 + (0.9 + 0.26 * len(names)) * -(-len(metrics) // 2)), layout="constrained")
    panels = figure.subplots(-(-len(metrics) // 2), 2, squeeze=False).flatten()
    for panel, metric in zip(panels, metrics, strict=False):
        chosen = {(one.backbone, one.variant, one.like): one for one in found if one.metric == metric}
        _draw_panel(panel, [(names.index(place), one) for place, one in chosen.items()])
        panel.set_title(TITLES[metric], fontsize=9, loc="left")
        panel.set_yticks(range(len(names)), [f"{name} − {like}  ({backbone})" for backbone, name, like in names])
        panel.tick_params(labelsize=7)
        panel.set_ylim(len(names) - 0.5, -0.5)
    for panel in panels[len(metrics) :]:
        panel.remove()
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()


def _draw_panel(panel: Any, placed: Sequence[tuple[int, Difference]]) -> None:  # noqa: ANN401 -- matplotlib's Axes
    panel.axvline(0, color="#111111", linewidth=0.8)
    for height, one in placed:
        colour = COLOURS[one.reading]
        panel.plot([one.low, one.high], [height, height], color=colour, linewidth=2, solid_capstyle="butt")
        panel.plot([one.value], [height], "|", color=colour, markersize=9, markeredgewidth=2)
        seeds = list(one.of_seeds.values())
        panel.plot(seeds, [height] * len(seeds), "o", color=colour, markersize=3, alpha=0.6)
    panel.spines[["top", "right", "left"]].set_visible(False)
