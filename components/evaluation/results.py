"""What an evaluation leaves: metrics.json, per_clip.parquet, plots and samples.npz.

The same evaluation gives the same bytes.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.evaluate import Evaluation
from components.evaluation.rows import read_field
from components.evaluation.sampling import SHOWN_DEPTH, SHOWN_FLOW
from components.evaluation.table import Table, encode_table
from components.files import write_atomically

STAGES = ("base", "stage1", "stage2", "stage3")
PLOTTED = ("score", "centroid_error", "chamfer", "depth_warp_l1")  # those that promotion asks for, and depth's own


def write_results(
    folder: Path, evaluation: Evaluation, table: Table, figures: Mapping[str, float | str]
) -> dict[str, float]:
    """Write all of it into `folder`; the numbers of metrics.json, which beside `figures` says what was measured."""
    plan = evaluation.plan
    document: dict[str, float | str] = {
        **figures,
        "evaluation.clips": len(plan.places),
        "evaluation.noises": plan.samples,
        "evaluation.split": plan.places[0].folder.name,
    }
    write_atomically(folder / "metrics.json", json.dumps(document, indent=1, allow_nan=False).encode())
    write_atomically(folder / "per_clip.parquet", encode_table(table))
    for metric in PLOTTED:
        write_atomically(folder / "plots" / f"{metric}.csv", progress_by_stage(figures, metric).encode())
    write_atomically(folder / "samples.npz", encode_arrays(shown_samples(evaluation)))
    return {key: value for key, value in document.items() if not isinstance(value, str)}


def progress_by_stage(figures: Mapping[str, float | str], metric: str) -> str:
    """A table for `dvc plots`: the metric of the base (0) and of every stage, with its 95 % interval; CSV.

    A stage on which it is not defined has no line; an interval that is not known is empty.
    """
    lines = ["stage,low,mean,high"]
    for number, stage in enumerate(STAGES):
        key = f"{stage}.{metric}"
        if key in figures:
            lines.append(
                ",".join([str(number), *(str(figures.get(f"{key}{end}", "")) for end in (".low", "", ".high"))])
            )
    return "\n".join(lines) + "\n"


def shown_samples(evaluation: Evaluation) -> dict[str, NDArray[Any]]:
    """Arrays `row/field` of the clips to be shown: rgb, depth in metres and flow in pixels; captions and clip ids."""
    shown = evaluation.plan.shown
    clips = [evaluation.plan.places[number].read().take1 for number in shown]
    arrays: dict[str, NDArray[Any]] = {
        "clip_ids": np.array([clip.meta.clip_id for clip in clips]),
        "captions": np.array([clip.meta.caption_initial for clip in clips]),
        "truth/rgb": np.stack([clip.rgb for clip in clips]),
        "truth/depth": np.stack([clip.depth for clip in clips]).astype(np.float16),
        "truth/flow": np.stack([clip.flow for clip in clips]).astype(np.float16),
    }
    for name in evaluation.models:
        folder = evaluation.row(name)
        arrays[f"{name}/rgb"] = np.stack([read_field(folder, "frames")[number, 0] for number in shown])
        arrays[f"{name}/depth"] = read_field(folder, SHOWN_DEPTH)
        arrays[f"{name}/flow"] = read_field(folder, SHOWN_FLOW)
    return arrays


def encode_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as an npz file: the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
