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
from components.training.losses import Truth
from components.training.rewards import rays_of

FIELDS = ("depth", "valid", "segmentation", "flow", "depth_change", "visible")


def captions_of(folder: Path) -> list[str]:
    """What is in the first frame of every clip; never what happens then."""
    return [row.caption_initial for row in read_index(folder)]


def videos_of(folder: Path) -> Iterator[Frames]:
    """RGB (T,H,W,3) of every clip in the order of the index."""
    for row in read_index(folder):
        yield read_part(folder, row.extent, ("rgb",)).arrays["rgb"]


def read_truth(folder: Path, rows: Sequence[IndexRow] | None = None) -> Truth:
    """Truth of every clip in the order of the index, or of the clips of `rows`; floats in half precision."""
    rows = rows or read_index(folder)
    T, H, W = rows[0].frames, rows[0].height, rows[0].width
    log_depth = np.empty((len(rows), T, H, W), np.float16)
    valid, foreground = (np.empty((len(rows), T, H, W), np.bool_) for _ in range(2))
    flow = np.empty((len(rows), T - 1, 2, H, W), np.float16)
    depth_change = np.empty((len(rows), T - 1, H, W), np.float16)
    visible = np.empty((len(rows), T - 1, H, W), np.bool_)
    for number, row in enumerate(rows):
        part = read_part(folder, row.extent, FIELDS)
        log_depth[number] = np.log(part.arrays["depth"])
        valid[number] = part.arrays["valid"]
        foreground[number] = np.isin(part.arrays["segmentation"], part.dynamic)
        flow[number] = np.moveaxis(part.arrays["flow"], -1, 1)
        depth_change[number] = part.arrays["depth_change"]
        visible[number] = part.arrays["visible"]
    return Truth(
        log_depth=torch.from_numpy(log_depth),
        valid=torch.from_numpy(valid),
        foreground=torch.from_numpy(foreground),
        flow=torch.from_numpy(flow),
        depth_change=torch.from_numpy(depth_change),
        visible=torch.from_numpy(visible),
    )


def read_rays(folder: Path, rows: Sequence[IndexRow] | None = None) -> Tensor:
    """Camera coordinates (H,W,3) at unit depth, the same in all clips; ClipError names a clip with another camera.

    Of every clip of the split, or of the clips of `rows`.
    """
    rows = rows or read_index(folder)
    first = _intrinsics(folder, rows[0])
    for row in rows[1:]:
        if not np.array_equal(_intrinsics(folder, row), first):
            raise ClipError(
                f"clip {row.clip_id} in {folder}: its intrinsics differ from clip {rows[0].clip_id}'s, expected one "
                "camera in all clips of stage 3: simulate the split with one set of camera parameters"
            )
    return rays_of(torch.from_numpy(first), rows[0].height, rows[0].width)


def _intrinsics(folder: Path, row: IndexRow) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return read_part(folder, row.extent, ("intrinsics",)).arrays["intrinsics"]
