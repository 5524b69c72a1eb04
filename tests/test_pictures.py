"""Moving pictures: their size, their times, and what shows between them."""

import base64
import io

import cv2
import numpy as np
from PIL import Image, ImageSequence

from components.pictures import GAP, LAST, data_uri, durations, joined, opaque, scaled, stride, webp


def frames(count: int = 3, height: int = 10, width: int = 14) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def test_no_more_frames_are_shown_than_asked_for() -> None:
    for count in (1, 24, 25, 26, 81, 1000):
        assert len(range(count)[:: stride(count, most=25)]) <= 25
    assert stride(25, most=25) == 1


def test_a_loop_lasts_as_long_as_the_world_times_its_slowness() -> None:
    assert durations(4, 10, most=10, slower=2) == [200, 200, 200, 200 + LAST]
    assert durations(9, 10, most=5, slower=1) == [200] * 4 + [200 + LAST]


def test_small_frames_grow_by_whole_factors_and_large_ones_shrink() -> None:
    small = scaled(frames(), cv2.INTER_AREA, height=25)
    np.testing.assert_array_equal(small[:, ::2, ::2], frames())
    assert small.shape == (3, 20, 28, 3)
    assert scaled(frames(height=60, width=90), cv2.INTER_AREA, height=20).shape == (3, 20, 30, 3)


def test_between_pictures_the_page_shows_through() -> None:
    found = joined([opaque(frames()), opaque(frames())], axis=2)
    assert found.shape == (3, 10, 2 * 14 + GAP, 4)
    assert (found[:, :, 14 : 14 + GAP, 3] == 0).all()
    assert (found[:, :, :14, 3] == 255).all()


def test_a_picture_comes_back_from_its_uri() -> None:
    flat = np.full((3, 8, 8, 3), [[[[200]]], [[[100]]], [[[0]]]], np.uint8)
    uri = data_uri(webp(flat, [10, 20, 30], 80))
    with Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/webp;base64,")))) as image:
        assert image.info["loop"] == 0
        found = [np.asarray(frame.convert("RGB")).mean() for frame in ImageSequence.Iterator(image)]
    np.testing.assert_allclose(found, [200, 100, 0], atol=3)
