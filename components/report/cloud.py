"""One scene as a moving point cloud: depth and colour of every pixel, quantised, for the page's own script to turn.

Places are those of the camera that saw them: z is depth, x and y follow from the pixel and the pinhole
(`geometry.unproject`), which the script does, so that a point takes five bytes. Legend: T frames, H, W.
"""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.pictures import stride
from components.report.catalogue import Row, row_of
from components.report.samples import Samples

SHOWN = ("truth", "base", "stage3")
FRAMES = 33  # of a longer video every second, third, ... is shown
SIDE = 72  # pixels of the longer side at most: larger frames are thinned
FAR = 2.0  # times the distance of the point looked at: what lies beyond is left out
LEVELS = 65535  # of depth; 0 is a point that is left out


@dataclass(frozen=True, kw_only=True)
class View:
    """The camera: focal length in heights of the picture, and metres to the point it looks at."""

    focal: float
    distance: float


@dataclass(frozen=True, kw_only=True)
class Side:
    """One model's cloud. points: base64 of T,H,W depths (uint16, little-endian), then T,H,W,3 colours (uint8)."""

    row: Row
    points: str


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Clouds that move and turn together. layout: what the script must know of `points`, as JSON."""

    clip_id: str
    caption: str
    sides: tuple[Side, ...]
    layout: str
    frames: int


def view_of(*, field_of_view: float, distance: float) -> View:
    """The view of a pinhole camera; field_of_view: vertical, degrees."""
    return View(focal=0.5 / math.tan(math.radians(field_of_view) / 2), distance=distance)


def liveliest(flow: NDArray[Any]) -> int:
    """The scene of flow (K,T-1,H,W,2) in which most moves."""
    return int(np.linalg.norm(np.nan_to_num(flow.astype(np.float32)), axis=-1).sum(axis=(1, 2, 3)).argmax())


def cloud_of(samples: Samples, view: View, *, fps: int) -> Cloud:
    """The cloud of the liveliest scene, of the rows of SHOWN that it has."""
    number = liveliest(samples.fields["truth"]["flow"])
    fields, (height, width) = samples.clip(number), samples.size
    step = stride(samples.frames, most=FRAMES)
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    sides = tuple(
        Side(row=row_of(row), points=_packed(fields[row], step, size, view)) for row in SHOWN if row in fields
    )
    frames = -(-samples.frames // step)
    layout = {
        "frames": frames,
        "width": size[0],
        "height": size[1],
        "focal": round(view.focal * size[1], 4),
        "distance": view.distance,
        "far": FAR * view.distance,
        "milliseconds": round(1000 * step / fps),
    }
    return Cloud(
        clip_id=samples.clip_ids[number],
        caption=samples.captions[number],
        sides=sides,
        layout=json.dumps(layout),
        frames=frames,
    )


def _packed(parts: Mapping[str, NDArray[Any]], step: int, size: tuple[int, int], view: View) -> str:
    depth = np.stack([_nearest(frame.astype(np.float32), size) for frame in parts["depth"][::step]])
    rgb = np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in parts["rgb"][::step]])
    return base64.b64encode(quantised(depth, far=FAR * view.distance).tobytes() + rgb.tobytes()).decode()


def _nearest(frame: NDArray[np.float32], size: tuple[int, int]) -> NDArray[Any]:
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST))


def quantised(depth: NDArray[np.float32], *, far: float) -> NDArray[np.uint16]:
    """Depth in metres as 1 to LEVELS up to `far`; 0 where there is none, or none that can be."""
    known = np.isfinite(depth) & (depth > 0) & (depth < far)
    levels = np.rint(np.where(known, depth, 0) / far * LEVELS)
    return np.where(known, levels.clip(1, LEVELS), 0).astype("<u2")
