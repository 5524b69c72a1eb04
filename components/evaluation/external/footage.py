"""The video files of a clip's answers as arrays of the clip's size, length and frame rate.

Frame t of a clip is the file's frame that is nearest in time to t/fps, counted from its first; of it the middle, as
much as has the clip's aspect, brought to the clip's size by area (what is smaller grows linearly).
"""

import itertools
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from components.evaluation.external.prompts import Prompt
from components.pseudo_labels.reading import LONGEST_GAP, Shown, UnreadableError, read_video_file

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclass(frozen=True, kw_only=True)
class Footage:
    """frames (N,T,H,W,3); repeated (N,): in how many of them the file had no new one."""

    frames: NDArray[np.uint8]
    repeated: NDArray[np.int64]


def read_footage(files: Sequence[Path], prompt: Prompt) -> Footage:
    """Every sample of a prompt; UnreadableError names the file that is no such video, or too short a one."""
    videos = [_read(path, prompt) for path in files]
    return Footage(
        frames=np.stack([[one.image for one in shown] for shown in videos]),
        repeated=np.array([sum(one.repeated for one in shown) for shown in videos]),
    )


def _read(path: Path, prompt: Prompt) -> list[Shown]:
    frames = read_video_file(path, height=prompt.height, width=prompt.width, rate=prompt.fps)
    try:
        with closing(cast("Generator[Shown, None, None]", frames)) as source:
            shown = list(itertools.islice(source, prompt.frames))
    except UnreadableError as error:
        raise UnreadableError(f"{path.name} {error}") from error
    for number, one in enumerate(shown):
        if number and not one.continues:
            raise UnreadableError(
                f"{path.name} has no frame for {LONGEST_GAP:g} s or more after {number / prompt.fps:.2f} s"
            )
    if len(shown) < prompt.frames:
        raise UnreadableError(
            f"{path.name} is too short: {len(shown) / prompt.fps:.2f} s, {len(shown)} frames at {prompt.fps} a second; "
            f"expected {prompt.seconds:.2f} s or more, {prompt.frames} frames"
        )
    return shown
