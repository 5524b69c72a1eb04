"""The gate on pseudo-labels: every clip read and held against its row; what is expected of the rows."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import ClipError
from components.index import INDEX_FILE
from components.pseudo_labels.storage import LabelRow, figures_of, read_label, read_rows
from components.quality import Check, Expectation, check_shards, check_table

if TYPE_CHECKING:
    from components.params import PseudoLabels, Video


def check_pseudo_labels(
    folder: Path,
    *,
    section: "PseudoLabels",
    video: "Video",
    shard_done: Callable[[], None] = lambda: None,
) -> list[Check]:
    """Every check of labelled videos; an index that cannot be read leaves nothing else to check.

    Clips are read one at a time; `shard_done` is called after each shard, and may raise to stop.
    """
    import pandas as pd

    try:
        rows = read_rows(folder, LabelRow)
    except ClipError as error:
        return [Check(expectation=f"{INDEX_FILE} can be read", passed=False, rows=(), observed=str(error))]
    if not rows:
        return [Check(expectation="there are labels", passed=False, rows=(), observed="no clip")]
    checks = check_shards(folder, rows, lambda row: _fault(folder, row), shard_done)
    frame = pd.DataFrame([asdict(row) for row in rows])
    return [*checks, *check_table(frame, _expectations(section, video), suite="pseudo_labels")]


def _expectations(section: "PseudoLabels", video: "Video") -> list[Expectation]:
    """Labels are finite; in most videos depth is not the same everywhere, and flow is to be trusted."""
    form = {name: [getattr(video, name)] for name in ("frames", "height", "width")}
    kinds = ["affine_disparity"] if section.depth == "labeler" else ["affine_disparity", "affine_depth", "metric"]
    mostly = 1 - section.max_rejected_share
    bounds: dict[str, dict[str, Any]] = {
        "finite_share": {"min_value": 1, "max_value": 1},
        "depth_spread": {"min_value": 0, "strict_min": True, "mostly": mostly},
        "max_flow": {"min_value": 0, "max_value": max(video.width, video.height), "mostly": mostly},
        "mean_confidence": {"min_value": section.min_confidence, "max_value": 1, "mostly": mostly},
    }
    return [
        Expectation(column="clip_id", kind="BeUnique", bounds={}),
        *(Expectation(column=name, kind="BeInSet", bounds={"value_set": values}) for name, values in form.items()),
        Expectation(column="depth_kind", kind="BeInSet", bounds={"value_set": kinds}),
        *(Expectation(column=name, kind="BeBetween", bounds=limits) for name, limits in bounds.items()),
    ]


def _fault(folder: Path, row: LabelRow) -> str:
    """How a clip breaks its checksum, its shapes or its row; empty when it does not."""
    try:
        labelled = read_label(folder, row)
    except ClipError as error:
        return str(error)
    differing = [
        f"{name} is {getattr(row, name)!r} in the index, {value!r} in the clip"
        for name, value in figures_of(labelled.depth, labelled.flow, labelled.confidence).items()
        if getattr(row, name) != value
    ]
    return f"clip {row.clip_id}: {'; '.join(differing)}" if differing else ""
