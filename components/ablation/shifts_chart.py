"""Generalisation as a chart: a panel for each backbone and metric, a line for each shift, a mark for each row."""

import io
from collections.abc import Mapping, Sequence

from components.ablation.chart import TITLES
from components.ablation.shifts import MODELS, STILL

SHOWN = ("score", "chamfer")
COLOURS = {STILL: "#9ca3af", "base": "#b45309", "stage2": "#2563eb", "stage3": "#1a7f4b"}
NAMES = {STILL: "a still", "base": "base", "stage2": "stage 2", "stage3": "stage 3"}


def draw_shifts(lines: Sequence[Mapping[str, str]]) -> bytes:
    """The chart as a PNG; the same lines give the same bytes."""
    from matplotlib.figure import Figure

    backbones = list(dict.fromkeys(line["backbone"] for line in lines))
    shifts = list(dict.fromkeys(line["shift"] for line in lines))
    figure = Figure(figsize=(12.5, len(backbones) * (1.2 + 0.3 * len(shifts))), layout="constrained")
    panels = figure.subplots(len(backbones), len(SHOWN), squeeze=False)
    for row, backbone in zip(panels, backbones, strict=True):
        for panel, metric in zip(row, SHOWN, strict=True):
            for line in lines:
                if line["backbone"] != backbone or line["row"] not in COLOURS or not line[metric]:
                    continue
                order = (STILL, *MODELS).index(line["row"])
                height = shifts.index(line["shift"]) + 0.16 * (order - 1.5)
                low, value, high = (float(line[f"{metric}{end}"]) for end in ("_low", "", "_high"))
                colour = COLOURS[line["row"]]
                panel.plot([low, high], [height, height], color=colour, linewidth=1.6, solid_capstyle="butt")
                panel.plot([value], [height], "o", color=colour, markersize=3.5)
            panel.set_yticks(range(len(shifts)), [_label(lines, shift) for shift in shifts])
            panel.set_ylim(len(shifts) - 0.5, -0.5)
            panel.tick_params(labelsize=7)
            panel.set_title(f"{backbone}: {TITLES[metric]}", fontsize=9, loc="left")
            panel.spines[["top", "right"]].set_visible(False)
            panel.grid(axis="x", color="#e5e7eb", linewidth=0.6)
    for name, colour in COLOURS.items():
        panels[0][0].plot([], [], "o-", color=colour, label=NAMES[name], markersize=3.5)
    panels[0][0].legend(fontsize=7, frameon=False)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()


def _label(lines: Sequence[Mapping[str, str]], shift: str) -> str:
    line = next(line for line in lines if line["shift"] == shift)
    return shift if line["axis"] in ("none", "family") else f"{shift}  ({line['far']} off, {line['axis']})"
