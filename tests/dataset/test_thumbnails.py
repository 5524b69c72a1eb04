"""A thumbnail shows video, depth and flow in step, and keeps to its share of the page."""

import base64
import io
from dataclasses import replace

import numpy as np
from PIL import Image, ImageSequence

from components.dataset.thumbnails import FRAMES, TILE, Thumbnail, thumbnail
from components.pictures import GAP, LAST
from tests.dataset.scenes import moving_square

PLENTY = 10**7


def opened(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1])))


def pictures(found: Thumbnail) -> np.ndarray:
    with opened(found.moving) as image:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]).astype(int)


def test_video_depth_and_flow_stand_beside_each_other() -> None:
    clip = moving_square()
    found = thumbnail(clip, facts="", budget=PLENTY)
    shown = pictures(found)
    factor = TILE // 24
    height, width = 24 * factor, 32 * factor
    assert shown.shape == (4, height, 3 * width + 2 * GAP, 3)
    video, depth, flow = (shown[:, :, start : start + width] for start in (0, width + GAP, 2 * (width + GAP)))
    expected = clip.rgb.repeat(factor, axis=1).repeat(factor, axis=2)
    assert np.abs(video - expected).mean() < 6
    square = clip.segmentation.repeat(factor, axis=1).repeat(factor, axis=2) == 2
    assert depth[square].mean() > depth[~square].mean() + 60  # near is bright
    assert flow[~square].min(axis=-1).mean() > 240  # rest is white
    assert flow[:3][square[:3]].min(axis=-1).mean() < 200


def test_it_moves_at_half_speed() -> None:
    found = thumbnail(moving_square(), facts="", budget=PLENTY)
    times = []
    with opened(found.moving) as image:
        for frame in ImageSequence.Iterator(image):
            frame.load()
            times.append(frame.info["duration"])
    assert times == [125, 125, 125, 125 + LAST]  # of 16 frames a second


def test_long_clips_are_thinned() -> None:
    assert len(pictures(thumbnail(moving_square(frames=2 * FRAMES + 3), facts="", budget=PLENTY))) <= FRAMES


def test_a_small_share_is_kept_by_quality_and_frames() -> None:
    clip = moving_square(frames=12)
    clip = replace(clip, rgb=np.random.default_rng(0).integers(0, 256, clip.rgb.shape, dtype=np.uint8))
    free = thumbnail(clip, facts="", budget=PLENTY)
    assert free.size < PLENTY
    budget = free.size // 5
    assert thumbnail(clip, facts="", budget=budget).size <= budget


def test_a_single_frame_is_a_picture() -> None:
    clip = moving_square(frames=1)
    found = thumbnail(clip, facts="one", budget=PLENTY)
    assert (found.facts, found.caption) == ("one", clip.meta.caption)
    assert len(pictures(found)) == 1
