"""Where a clip moves: the motion masks of Physics-IQ, with the lossy video that is part of their definition.

The benchmark stores its masks as mp4v video and measures what it reads back; the loss changes scores in the first
decimal, so the masks go through a temporary video here too.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from components.errors import Phys4dError

Frame = NDArray[np.uint8]  # (H, W, 3)
Order = Literal["rgb", "bgr"]  # of a frame's channels; only its grey depends on it
KERNEL = np.ones((5, 5), np.uint8)
BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32) / 16  # the 5x5 Gaussian of OpenCV is its product with itself
UP = 2.0**-10  # a mean of bytes in 256ths that lies halfway is rounded up; this moves no other across a half
BAND = 64  # rows at a time: the average of one band (float64) stays in the cache between two steps
MARGIN = 4  # pixels that closing reaches beyond what is set (2), and the erosion beyond these


class MotionDetector:
    """Motion of a clip against its running average, frame by frame."""

    def __init__(self, *, order: Order = "rgb") -> None:
        self._average: NDArray[np.float64] | None = None
        self._blur = fast_blur
        self._to_grey = cv2.COLOR_RGB2GRAY if order == "rgb" else cv2.COLOR_BGR2GRAY

    def mask(self, frame: Frame) -> NDArray[np.uint8]:
        """The pixels (H, W) that move in the next `frame`: 255 where it differs from the average by more than 10.

        The average follows with weight 0.3 before it is compared; the mask is opened, then closed, with 5x5 pixels.
        The first frame has nothing to differ from: its mask is empty.
        """
        sharp = cv2.cvtColor(frame, self._to_grey).astype(np.uint8, copy=False)
        grey = self._blur(sharp)
        if self._average is None:
            exact = blur(sharp)
            if not np.array_equal(grey, exact):  # this OpenCV rounds otherwise: its own blur is the definition
                self._blur, grey = blur, exact
            self._average = grey.astype(np.float64)
            return np.zeros(grey.shape, np.uint8)
        moving = np.empty_like(grey)
        for top in range(0, len(grey), BAND):
            rows, average = grey[top : top + BAND], self._average[top : top + BAND]
            cv2.accumulateWeighted(rows, average, 0.3)
            difference = cv2.absdiff(rows, cv2.convertScaleAbs(average))
            moving[top : top + BAND] = cv2.threshold(difference, 10, 255, cv2.THRESH_BINARY)[1]
        return opened_and_closed(moving)


def blur(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey picture (H, W) under the 5x5 Gaussian of OpenCV."""
    return cv2.GaussianBlur(grey, (5, 5), 0).astype(np.uint8, copy=False)


def fast_blur(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same bytes in 40 % of the time: rows and columns by floating point, which holds these sums exactly."""
    return cv2.sepFilter2D(grey, cv2.CV_8U, BINOMIAL, BINOMIAL, delta=UP).astype(np.uint8, copy=False)


def opened_and_closed(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask (H, W) opened, then closed, with 5x5 pixels; only the rectangle that holds what is set is worked on.

    The margin of zeros around it stands for all that is left out, so the result is that of the whole mask.
    """
    left, top, width, height = cv2.boundingRect(mask)
    if width == 0:
        return mask
    part = np.s_[max(top - MARGIN, 0) : top + height + MARGIN, max(left - MARGIN, 0) : left + width + MARGIN]
    found = np.zeros_like(mask)
    opened = cv2.morphologyEx(mask[part], cv2.MORPH_OPEN, KERNEL)
    found[part] = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, KERNEL)
    return found


class MaskVideo:
    """The motion masks of one clip, written to an mp4v video as its frames come and read back afterwards."""

    def __init__(self, path: Path, *, fps: float, order: Order = "rgb") -> None:
        self._path, self._fps = path, round(fps)
        self._detector = MotionDetector(order=order)
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
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
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
