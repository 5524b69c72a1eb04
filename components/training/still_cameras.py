"""The clips that stage 3 may practise on: its reward compares point clouds that one still camera sees."""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from components.errors import ClipError
from components.index import read_index
from components.shards import read_part
from components.training.ahead import Chosen
from components.training.policy import Practice


def with_still_cameras(practice: Practice, folder: Path) -> Practice:
    """The practice on clips of `folder`, in the order of its index, without those whose camera moves.

    The same object where no camera moves; a warning says how many are left out; ClipError when none is left.
    """
    numbers = still_cameras(folder)
    clips = len(practice.data)
    if len(numbers) == clips:
        return practice
    if not len(numbers):
        raise ClipError(
            f"{folder}: the camera moves in all {clips} clips, and stage 3's reward is defined for cameras that stand "
            "still: lower simulation.camera.orbit.share and simulate the split again"
        )
    sys.stderr.write(f"warning: stage 3 leaves out {clips - len(numbers)} of {clips} clips, whose cameras move\n")
    return replace(
        practice,
        data=replace(practice.data, only=numbers),
        truth=Chosen(source=practice.truth, numbers=numbers),
        intrinsics=practice.intrinsics[numbers],
    )


def still_cameras(folder: Path) -> Tensor:
    """Numbers of the clips of a split, in the order of its index, whose camera is the same in every frame."""
    cameras = (read_part(folder, row.extent, ("extrinsics",)).arrays["extrinsics"] for row in read_index(folder))
    return torch.tensor([number for number, one in enumerate(cameras) if (one == one[0]).all()], dtype=torch.long)
