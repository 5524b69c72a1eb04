"""Where a clip moves: the motion masks of Physics-IQ, with the lossy video that is part of their definition.

The benchmark stores its masks as mp4v video and measures what it reads back; the loss changes scores in the first
decimal, so the masks go through a temporary video here too.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from components.errors import Phys4dError

Frame = NDArray[np.uint8]  # (H, W, 3) RGB
KERNEL = np.ones((5, 5), np.uint8)


class MotionDetector:
    """Motion of a clip against its running average, frame by frame."""

    def __init__(self) -> None:
        self._average: NDArray[np.float64] | None = None

    def mask(self, frame: Frame) -> NDArray[np.uint8]:
        """The pixels (H, W) that move in the next `frame`: 255 where it differs from the average by more than 10.

        The average follows with weight 0.3 before it is compared; the mask is opened, then closed, with 5x5 pixels.
        The first frame has nothing to differ from: its mask is empty.
        """
        grey = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (5, 5), 0)
        if self._average is None:
            self._average = grey.astype(np.float64)
            return np.zeros(grey.shape, np.uint8)
        cv2.accumulateWeighted(grey, self._average, 0.3)
        difference = cv2.absdiff(grey, cv2.convertScaleAbs(self._average))
        moving = cv2.threshold(difference, 10, 255, cv2.THRESH_BINARY)[1]
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, KERNEL)
        return cv2.morphologyEx(moving, cv2.MORPH_CLOSE, KERNEL).astype(np.uint8, copy=False)


class MaskVideo:
    """The motion masks of one clip, written to an mp4v video as its frames come and read back afterwards."""

    def __init__(self, path: Path, *, fps: float) -> None:
        self._path, self._fps = path, round(fps)
        self._detector = MotionDetector()
        self._writer: cv2.VideoWriter | None = None
        self._count = 0

    def __enter__(self) -> Self:
        """Start; the file is made with the first frame."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()

    def add(self, frame: Frame) -> None:
        """Write the mask of the next frame; an odd last row or column is cut off, mp4v has none."""
        height, width = (length - length % 2 for length in frame.shape[:2])
        if self._writer is None:
            fourcc = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._path), fourcc, self._fps, (width, height), isColor=False)
            if not self._writer.isOpened():
                raise Phys4dError(
                    f"OpenCV cannot write {self._path} as mp4v video of {width}x{height} pixels: motion masks need its "
                    "FFmpeg back end and room in the temporary directory; install the published opencv-python-headless"
                )
        self._writer.write(self._detector.mask(frame)[:height, :width])
        self._count += 1

    def read(self, size: tuple[int, int]) -> Iterator[NDArray[np.bool_]]:
        """The masks after the round trip, each resized to `size` (width, height) and cut at 127.

        The three channels that come back are equal: one of them is the mask.
        """
        capture = cv2.VideoCapture(str(self._path))
        try:
            for index in range(self._count):
                found, image = capture.read()
                if not found:
                    raise Phys4dError(
                        f"the mask video {self._path} ended after {index} of {self._count} frames: is there room in "
                        "the temporary directory? Free some, or point TMPDIR elsewhere, and run again"
                    )
                yield cv2.resize(image, size)[..., 0] > 127
        finally:
            capture.release()
