"""Video files for Physics-IQ: their headers, and their first seconds at a common frame rate, streamed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from components.errors import ParametersError
from components.evaluation.physics_iq import frames_in
from components.evaluation.physics_iq_masks import Frame, Order

RATE_TOLERANCE = 0.005  # frames a second: containers round 30 to 29.998; 29.97 is another rate


@dataclass(frozen=True, kw_only=True, slots=True)
class Video:
    """A video file and what its header says."""

    path: Path
    fps: float  # whole where the header means a whole number
    frames: int
    width: int
    height: int

    @property
    def seconds(self) -> float:
        """Its duration."""
        return self.frames / self.fps


def probe(path: Path) -> Video:
    """Read the header; ParametersError when this is no video that can be read."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ParametersError(f"{path} cannot be opened ({error.strerror}): make or copy this video again") from error
    capture = cv2.VideoCapture(str(path)) if size else None
    fps, frames, width, height = (0.0, 0, 0, 0)
    if capture is not None:
        fps, frames = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        width, height = (int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        capture.release()
    if not (fps > 0 and frames > 0):
        reason = "is empty (0 bytes)" if capture is None else "cannot be read as a video"
        raise ParametersError(f"{path} {reason}; expected an .mp4 file of 5 seconds: make or copy this video again")
    whole = round(fps)
    rate = float(whole) if abs(fps - whole) < RATE_TOLERANCE else fps
    return Video(path=path, fps=rate, frames=frames, width=width, height=height)


def first_seconds(video: Video, *, fps: float, seconds: float, order: Order = "rgb") -> Iterator[Frame]:
    """The frames of the first `seconds` at `fps`, their channels in `order`.

    A video of another rate is resampled by blending neighbouring frames, the first and the last frame kept, as the
    benchmark makes its real videos at other rates out of 30 a second. (The benchmark then stores the result as H.264
    video; what that loses depends on the encoder and is not imitated.)
    """
    count = frames_in(seconds, fps=fps)
    if video.fps == fps:
        return read_frames(video, count=count, order=order)
    source = int(seconds * video.fps)
    return _blended(read_frames(video, count=source, order=order), source=source, target=count)


def read_frames(video: Video, *, count: int, order: Order = "rgb") -> Iterator[Frame]:
    """The first `count` frames (H, W, 3); ParametersError when the file ends, or breaks, before them."""
    capture = cv2.VideoCapture(str(video.path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        for index in range(count):
            found, frame = capture.read()
            if not found:
                raise ParametersError(
                    f"{video.path} breaks off after {index} of {video.frames} frames, the first {count} are needed: "
                    "the file is damaged, make or copy it again"
                )
            picture = frame if order == "bgr" else cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            yield picture.astype(np.uint8, copy=False)
    finally:
        capture.release()


def _blended(frames: Iterator[Frame], *, source: int, target: int) -> Iterator[Frame]:
    """`target` frames spread evenly from the first to the last of `source` frames, between two of them blended."""
    current = next(frames)
    following = next(frames, current)
    index = 0
    for step in range(target):
        position = step * (source - 1) / max(target - 1, 1)
        while index < int(position):
            index += 1
            current, following = following, next(frames, following)
        weight = position - index
        blend = (1 - weight) * current.astype(np.float32) + weight * following.astype(np.float32)
        yield blend.astype(np.uint8)
