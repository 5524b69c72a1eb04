"""What training reads of simulated clips: captions, pictures, truth and camera, each field only when it is wanted."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from components.backbones.base import Frames
from components.errors import ClipError
from components.index import IndexRow, read_index
from components.shards import read_part
from components.training.ahead import MOST_BYTES, OnDisk, Source, read_side_by_side
from components.training.losses import Truth

FIELDS = ("depth", "valid", "segmentation", "flow", "depth_change", "visible")


def captions_of(folder: Path) -> list[str]:
    """What is in the first frame of every clip; never what happens then."""
    return [row.caption_initial for row in read_index(folder)]


def videos_of(folder: Path) -> Iterator[Frames]:
    """RGB (T,H,W,3) of every clip in the order of the index."""
    for row in read_index(folder):
        yield read_part(folder, row.extent, ("rgb",)).arrays["rgb"]


def read_truth(folder: Path, rows: Sequence[IndexRow] | None = None, *, most_bytes: int = MOST_BYTES) -> Source[Truth]:
    """Truth of every clip in the order of the index, or of the clips of `rows`; floats in half precision.

    In memory where it takes `most_bytes` at most; else each clip is read from its shard when it is wanted. ClipError
    where there is no clip.
    """
    clips = TruthOnDisk(folder, rows)
    return clips if clips.bytes > most_bytes else clips.read(torch.arange(len(clips)))


class TruthOnDisk(OnDisk[Truth]):
    """Truth of simulated clips."""

    bytes_of_pixel = 11  # four values of two bytes, and three masks

    def __init__(self, folder: Path, rows: Sequence[IndexRow] | None = None) -> None:
        self._folder, self._rows = folder, rows or read_index(folder)
        if not self._rows:
            raise ClipError(f"{folder}: no clips, expected one at least: simulate the split again")
        super().__init__(self._rows)

    def read(self, numbers: Tensor) -> Truth:
        """Truth of some clips as it lies in memory."""
        parts = read_side_by_side(self._read_one, numbers)
        return Truth(**{name: torch.stack([part[name] for part in parts]) for name in parts[0]})

    def _read_one(self, number: int) -> dict[str, Tensor]:
        part = read_part(self._folder, self._rows[number].extent, FIELDS)
        arrays = part.arrays
        return {
            "log_depth": torch.from_numpy(np.log(arrays["depth"]).astype(np.float16)),
            "valid": torch.from_numpy(arrays["valid"]),
            "foreground": torch.from_numpy(np.isin(arrays["segmentation"], part.dynamic)),
            "flow": torch.from_numpy(np.moveaxis(arrays["flow"], -1, 1).astype(np.float16)),
            "depth_change": torch.from_numpy(arrays["depth_change"].astype(np.float16)),
            "visible": torch.from_numpy(arrays["visible"]),
        }


def read_intrinsics(folder: Path, rows: Sequence[IndexRow] | None = None) -> Tensor:
    """Intrinsics (N,3,3) of every clip in the order of the index, or of the clips of `rows`."""
    parts = (read_part(folder, row.extent, ("intrinsics",)) for row in rows or read_index(folder))
    return torch.from_numpy(np.stack([part.arrays["intrinsics"] for part in parts]))
