"""Rows of the evaluation on disk: a row's videos, and what was read off them, as arrays that nobody holds in memory.

A row is a folder of npy files; it appears whole, when all of it is there. Legend: C clips, N samples of each, T frames.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from components.evaluation.judge import DepthReader, Videos
from components.files import move_folder


class RowWriter:
    """Takes the videos of a row in any order; the judge's network reads their depth."""

    def __init__(self, folder: Path, judge: DepthReader, shape: tuple[int, int, int, int, int]) -> None:
        self._folder, self._judge = folder, judge
        self._frames = self.field("frames", np.uint8, (*shape, 3))
        self._depth = self.field("depth", np.float32, shape)

    def field(self, name: str, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
        """One more array of the row, to be filled."""
        return np.lib.format.open_memmap(self._folder / f"{name}.npy", "w+", dtype, shape)

    def put(self, clips: slice, sample: int, frames: NDArray[np.uint8]) -> None:
        """Sample number `sample` of some clips: frames (clips,T,H,W,3)."""
        self._frames[clips, sample] = frames
        for number, video in enumerate(frames):
            self._depth[clips.start + number, sample] = self._judge.predict(video)

    def depth_of(self, clip: int, sample: int) -> NDArray[np.float32]:
        """What the judge's network read of a video that was put, (T,H,W)."""
        return np.array(self._depth[clip, sample], np.float32)

    def flush(self) -> None:
        """Write what is still in memory."""
        for array in (self._frames, self._depth):
            array.flush()  # type: ignore[attr-defined]


@contextmanager
def new_row(folder: Path, judge: DepthReader, shape: tuple[int, int, int, int, int]) -> Iterator[RowWriter]:
    """A writer of the row in `folder`, of `shape` (C,N,T,H,W); the folder appears when the block ends well."""
    part = folder.with_name(f".{folder.name}.part")
    part.mkdir(parents=True, exist_ok=True)
    writer = RowWriter(part, judge, shape)
    yield writer
    writer.flush()
    move_folder(part, folder)


def read_videos(folder: Path, clip: int) -> Videos:
    """All samples of one clip."""
    return Videos(
        frames=np.array(read_field(folder, "frames")[clip]), depth=np.array(read_field(folder, "depth")[clip])
    )


def read_field(folder: Path, name: str) -> NDArray[Any]:
    """One array of a row, read from the disk where it is looked at."""
    array: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r")
    return array
