"""Sampled scenes as moving strips: a column for each model, rows video, depth, flow and error, in one looping picture.

One picture for all columns keeps them in step. Colours have one scale in a scene, that of the truth; error is how far a
pixel's colour is from the true one, on one scale for all scenes.

Legend: K scenes, T frames, H, W.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.pictures import GAP, Picture, data_uri, durations, joined, opaque, scaled, stride, webp
from components.report.catalogue import Row, row_of
from components.report.samples import Fields, Samples
from components.simulation.preview import depth_colours, flow_colours

SCENES = 6  # the first of those that were kept
SIDES = ("video", "depth", "flow", "error")  # the rows, from above
TILE = 192  # pixels: the height of a tile, about
FRAMES = 33  # of a longer video every second, third, ... is shown
SPEED = "half"
SLOWER = 2  # than the world, which is the same
FASTEST, LEAST_SPEED = 0.995, 0.5  # quantile of the true speed, and pixels a frame, at which a colour is full
STILLS = 6  # moments of the strip that does not move
FULL_ERROR = 128  # levels of 255, mean over the channels, at which the colour of an error is full
ERROR = (178, 24, 43)  # RGB of a full error; none is white
QUALITIES = (80, 60, 40, 20)  # of WebP: the first with which the scenes fit into the budget


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One scene: its strips as data URIs, the moving one and one that stands still for print."""

    clip_id: str
    caption: str
    columns: tuple[Row, ...]
    moving: str
    still: str
    gap: float  # percent of the moving picture's width
    seconds: tuple[str, ...]  # of the columns of the still one
    width: int
    height: int


def draw_scenes(samples: Samples, *, fps: int, budget: int) -> tuple[Scene, ...]:
    """The first scenes in about `budget` bytes."""
    drawn = [_drawn(samples.clip(number)) for number in range(min(SCENES, len(samples.captions)))]
    frames = samples.frames
    encoded: list[tuple[bytes, bytes]] = []
    for quality in QUALITIES:
        times = durations(frames, fps, most=FRAMES, slower=SLOWER)
        encoded = [(webp(moving, times, quality), webp(still[None], [0], quality)) for moving, still in drawn]
        if sum(len(part) for parts in encoded for part in parts) <= budget:
            break
    return tuple(
        Scene(
            clip_id=samples.clip_ids[number],
            caption=samples.captions[number],
            columns=tuple(row_of(row) for row in samples.fields),
            moving=data_uri(encoded[number][0]),
            still=data_uri(encoded[number][1]),
            gap=round(100 * GAP / moving.shape[2], 3),
            seconds=tuple(f"{moment / fps:.2f}" for moment in _moments(frames)),
            width=moving.shape[2],
            height=moving.shape[1],
        )
        for number, (moving, _) in enumerate(drawn)
    )


def _drawn(fields: Fields) -> tuple[Picture, Picture]:
    """One scene: its moving picture (T,H,W,4), and the still one (H,W,3): a line a model, time to the right."""
    moments = _moments(len(fields["truth"]["rgb"]))
    lines = [np.concatenate(list(_scaled(row["rgb"][moments], cv2.INTER_AREA)), axis=1) for row in fields.values()]
    columns = [joined([opaque(part) for part in parts], axis=1) for parts in _coloured(_sized(fields))]
    return joined(columns, axis=2), np.concatenate(lines)


def _moments(frames: int) -> NDArray[np.int64]:
    return np.linspace(0, frames - 1, min(STILLS, frames)).round().astype(np.int64)


def _sized(fields: Fields) -> Fields:
    """The frames that are shown, as large as they are shown; flow is that of the step that follows, the last twice."""
    step = stride(len(fields["truth"]["rgb"]), most=FRAMES)
    return {
        row: {
            "rgb": _scaled(parts["rgb"][::step], cv2.INTER_AREA),
            "depth": _scaled(parts["depth"][::step].astype(np.float32), cv2.INTER_NEAREST),
            "flow": _scaled(
                np.concatenate([parts["flow"], parts["flow"][-1:]])[::step].astype(np.float32), cv2.INTER_NEAREST
            ),
        }
        for row, parts in fields.items()
    }


def _coloured(fields: Fields) -> list[tuple[Picture, ...]]:
    """Video, depth, flow and error (T,H,W,3) of every row, in the truth's scales."""
    rows = list(fields)
    near, far = fields["truth"]["depth"].min(), fields["truth"]["depth"].max()
    depth = np.clip(np.nan_to_num(np.concatenate([parts["depth"] for parts in fields.values()]), nan=far), near, far)
    depths = np.split(depth_colours(depth, np.ones(depth.shape, np.bool_)), len(rows))
    speed = np.linalg.norm(np.nan_to_num(fields["truth"]["flow"]), axis=-1)
    fastest = max(float(np.quantile(speed, FASTEST)), LEAST_SPEED)
    flows = [flow_colours(np.nan_to_num(parts["flow"]), fastest=fastest) for parts in fields.values()]
    errors = [error_colours(parts["rgb"], fields["truth"]["rgb"]) for parts in fields.values()]
    return [(fields[row]["rgb"], *parts) for row, *parts in zip(rows, depths, flows, errors, strict=True)]


def error_colours(rgb: NDArray[np.uint8], truth: NDArray[np.uint8]) -> Picture:
    """How far colours (...,3) are from the true ones: white for equal ones, ERROR from FULL_ERROR levels on."""
    error = np.abs(rgb.astype(np.float32) - truth).mean(axis=-1, keepdims=True).clip(0, FULL_ERROR) / FULL_ERROR
    return np.asarray(255 + error * (np.array(ERROR, np.float32) - 255)).round().astype(np.uint8)


def _scaled(frames: NDArray[Any], interpolation: int) -> NDArray[Any]:
    return scaled(frames, interpolation, height=TILE)
