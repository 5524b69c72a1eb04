"""Frames of a video file as a person would see them: upright, at a fixed rate, cropped and resized to one format."""

import itertools
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from components.errors import Phys4dError

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

Frame = NDArray[np.uint8]  # H,W,3
SLOW = 0.9  # of the wanted rate
LONGEST_GAP = 1.0  # seconds between frames: beyond it nothing is known of what lies between


class UnreadableError(Phys4dError):
    """A file, or the rest of it, is no video that can be read; the message is the cause."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A frame (H,W,3) at its turn. continues: whether it follows the frame before by one turn, for all that is known.

    repeated: whether it was shown at the turn before too, because the file has none in between.
    """

    image: Frame
    continues: bool
    repeated: bool


def sampling_rate(path: Path, *, fps: int) -> float:
    """Frames a second to take of a file: `fps`, or its own usual rate where that is clearly lower.

    Half of the frames of a slow file would stand still otherwise, which is no motion to learn from.
    """
    with _opened(path) as (container, stream):
        times = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        steps = np.sort(np.diff(np.array(times, np.float64)))
        usual = steps[len(steps) // 4 : len(steps) - len(steps) // 4]  # without pauses, and frames held at the end
        if stream.time_base is None or not usual.sum() > 0:
            return fps
        rate = 1 / (float(usual.mean()) * float(stream.time_base))
    return rate if rate < SLOW * fps else fps


def read_video_file(path: Path, *, height: int, width: int, rate: float) -> Iterator[Shown]:
    """The frames of a file at `rate`, each the nearest in time; UnreadableError where it cannot be read any further."""
    with _opened(path) as (container, stream):
        yield from resample(_frames(container, stream, height=height, width=width), rate=rate)


@contextmanager
def _opened(path: Path) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """A file and its first video; all that goes wrong while it is open is an UnreadableError."""
    import av

    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise UnreadableError("has no video, sound alone" if container.streams.audio else "has no video")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise UnreadableError("its codec is unknown")
            yield container, stream
    except av.FFmpegError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from error


def resample(timed: Iterable[tuple[float, Frame]], *, rate: float) -> Iterator[Shown]:
    """Frames at their times in seconds to frames every 1/rate: at each turn the nearest in time."""
    start, turn, times_shown = 0.0, 0, 0
    before: tuple[float, Frame] | None = None
    end: tuple[float, Frame | None] = (math.inf, None)
    for time, image in itertools.chain(timed, [end]):
        goes_on = before is not None and 0 <= time - before[0] <= LONGEST_GAP
        if before is not None:
            until = (before[0] + time) / 2 if goes_on else before[0] + 0.5 / rate
            while start + turn / rate <= until:
                yield Shown(image=before[1], continues=turn > 0, repeated=times_shown > 0)
                turn, times_shown = turn + 1, times_shown + 1
        if not goes_on:
            start, turn = time, 0
        before, times_shown = None if image is None else (time, image), 0


def upright(frame: "VideoFrame") -> Frame:
    """RGB (H,W,3) of a decoded frame, turned as its file says it is to be shown."""
    image: Frame = frame.to_ndarray(format="rgb24")
    quarter_turns = round(frame.rotation / 90) % 4  # counter-clockwise, as np.rot90 turns
    return np.rot90(image, quarter_turns) if quarter_turns else image


def fit(image: Frame, *, height: int, width: int, pixel_aspect: Fraction) -> Frame:
    """The middle of an image, as much as has the aspect of (height,width), at that size.

    A pixel of the image is `pixel_aspect` times as wide as high. Shrinks by area; what is too small grows linearly.
    """
    rows, columns = image.shape[:2]
    aspect = width / height / float(pixel_aspect)  # in pixels of the image
    across, down = min(columns, round(rows * aspect)), min(rows, round(columns / aspect))
    left, top = (columns - across) // 2, (rows - down) // 2
    middle = np.ascontiguousarray(image[top : top + max(down, 1), left : left + max(across, 1)])
    shrinks = middle.shape[0] >= height and middle.shape[1] >= width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(middle, (width, height), interpolation=method), np.uint8)


def _frames(
    container: "InputContainer", stream: "VideoStream", *, height: int, width: int
) -> Iterator[tuple[float, Frame]]:
    """Decoded frames and when they are shown; a file without times shows them at its rate."""
    aspect, rate = stream.sample_aspect_ratio or Fraction(1), float(stream.average_rate or 1)
    for number, frame in enumerate(container.decode(stream)):
        turned = frame.rotation % 180 != 0
        time = number / rate if frame.time is None else frame.time
        yield time, fit(upright(frame), height=height, width=width, pixel_aspect=1 / aspect if turned else aspect)
