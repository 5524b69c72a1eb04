"""Pseudo-labels as the tensors that stage 1 learns from."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from components.errors import ClipError
from components.pseudo_labels.storage import LABELS, LabelRow, read_rows
from components.shards import read_arrays
from components.training.ahead import MOST_BYTES, OnDisk, Source, read_side_by_side
from components.training.stage1 import DepthKind, PseudoLabels


def read_labels(folder: Path, *, most_bytes: int = MOST_BYTES) -> Source[PseudoLabels]:
    """Labels of all videos in the order of the index, in half precision; ClipError when depths are of several kinds.

    In memory where they take `most_bytes` at most; else each clip's are read from its shard when they are wanted.
    """
    labels = LabelsOnDisk(folder)
    return labels if labels.bytes > most_bytes else labels.read(torch.arange(len(labels)))


class LabelsOnDisk(OnDisk[PseudoLabels]):
    """Labels of videos."""

    bytes_of_pixel = 8  # four values of two bytes

    def __init__(self, folder: Path) -> None:
        self._folder, self._rows = folder, read_rows(folder, LabelRow)
        self._kind = _kind_of(self._rows, folder)
        super().__init__(self._rows)

    def read(self, numbers: Tensor) -> PseudoLabels:
        """Labels of some clips as they lie in memory."""
        depth, flow, confidence = zip(*read_side_by_side(self._read_one, numbers), strict=True)
        return PseudoLabels(
            depth=torch.stack(depth), depth_kind=self._kind, flow=torch.stack(flow), confidence=torch.stack(confidence)
        )

    def _read_one(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        arrays, _ = read_arrays(self._folder, self._rows[number].extent, LABELS)
        moved = (arrays["depth"], np.moveaxis(arrays["flow"], -1, 1), arrays["confidence"])
        depth, flow, confidence = (torch.from_numpy(values.astype(np.float16)) for values in moved)
        return depth, flow, confidence


def _kind_of(rows: Sequence[LabelRow], folder: Path) -> DepthKind:
    kinds: dict[str, str] = {}
    for row in rows:
        kinds.setdefault(row.depth_kind, row.clip_id)
    if len(kinds) != 1:
        found = ", ".join(f"{kind} ({clip})" for kind, clip in kinds.items()) or "none"
        raise ClipError(f"{folder}: depth_kind is {found}, expected one kind: run phys4d stage pseudo_label")
    return cast("DepthKind", next(iter(kinds)))
