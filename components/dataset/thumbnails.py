"""A clip as one moving thumbnail: video, depth and flow beside each other, in step.

Legend: T frames, H, W.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from components.clip import Clip
from components.pictures import Picture, data_uri, durations, joined, opaque, scaled, stride, webp
from components.simulation.preview import depth_colours, flow_colours

TILE = 144  # pixels: the height of a tile, about
FRAMES = 25  # of a longer clip every second, third, ... is shown
SLOWER = 2  # than the world
STILL_QUALITY = 60  # of WebP
PLANS = ((75, 1), (60, 1), (45, 1), (30, 1), (30, 2), (15, 4))  # quality and every how many-th frame: the first to fit


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """A clip on the page. moving, still: data URIs of the loop, and of its middle frame for who wants no motion."""

    clip_id: str
    family: str
    caption: str
    facts: str
    moving: str
    still: str
    width: int
    height: int
    size: int  # bytes of both pictures


def thumbnail(clip: Clip, *, facts: str, budget: int) -> Thumbnail:
    """Draw `clip` in about `budget` bytes; flow is that of the step that follows, the last one twice."""
    step = stride(len(clip.rgb), most=FRAMES)
    flow = np.concatenate([clip.flow, clip.flow[-1:]]) if len(clip.flow) else np.zeros((1, *clip.rgb.shape[1:3], 2))
    parts = (
        scaled(clip.rgb[::step], cv2.INTER_AREA, height=TILE),
        scaled(depth_colours(clip.depth[::step], clip.valid[::step]), cv2.INTER_AREA, height=TILE),
        scaled(flow_colours(flow[::step].astype(np.float32)), cv2.INTER_AREA, height=TILE),
    )
    picture = joined([opaque(part) for part in parts], axis=2)
    times = durations(len(clip.rgb), clip.meta.fps, most=FRAMES, slower=SLOWER)
    still = webp(picture[len(picture) // 2][None], [0], STILL_QUALITY)
    moving = _fitting(picture, times, budget - len(still))
    return Thumbnail(
        clip_id=clip.meta.clip_id,
        family=clip.meta.family,
        caption=clip.meta.caption,
        facts=facts,
        moving=data_uri(moving),
        still=data_uri(still),
        width=picture.shape[2],
        height=picture.shape[1],
        size=len(moving) + len(still),
    )


def _fitting(picture: Picture, times: Sequence[int], budget: int) -> bytes:
    content = b""
    for quality, step in PLANS:
        kept = range(0, len(picture), step)
        content = webp(picture[::step], np.add.reduceat(times, kept).tolist(), quality)
        if len(content) <= budget:
            break
    return content
