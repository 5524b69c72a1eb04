"""Takes that are prepared once give the numbers of the formula that prepares them every time."""

import numpy as np
import pytest

from components.evaluation.physics_iq import quarter, score_frames
from components.evaluation.physics_iq_recorded import enlarged, record, record_takes, score_recorded
from tests.evaluation.physics_iq_samples import clip

SIZES = [(256, 256), (160, 120), (90, 61)]


@pytest.mark.parametrize("size", SIZES)
def test_the_numbers_are_the_same_to_the_last_bit(size: tuple[int, int]) -> None:
    take1, take2, generated = (clip(seed=4, seconds=2, fps=8, size=size, speed=speed) for speed in (1.0, 1.05, 1.3))
    takes = record_takes(take1, take2, size=quarter(take1[0]), fps=8)
    expected = score_frames(generated, take1, take2, fps=8, scenario="fall", view="left", seconds=None)
    assert score_recorded(generated, takes, scenario="fall", view="left") == expected


def test_takes_serve_many_clips() -> None:
    take1, take2 = (clip(seed=4, seconds=1, fps=8, size=(256, 256), speed=speed) for speed in (1.0, 1.05))
    takes = record_takes(take1, take2, size=(64, 64), fps=8)
    first = score_recorded(take2, takes, scenario="fall", view="")
    score_recorded(take1, takes, scenario="fall", view="")
    assert score_recorded(take2, takes, scenario="fall", view="") == first


def test_a_generated_clip_of_another_length_is_refused() -> None:
    take = clip(seed=4, seconds=1, fps=8, size=(64, 64))
    takes = record_takes(take, take, size=(16, 16), fps=8)
    with pytest.raises(ValueError, match="longer"):
        score_recorded(take[:-1], takes, scenario="fall", view="")


def test_a_recording_holds_every_frame() -> None:
    recording = record(clip(seed=4, seconds=1, fps=8, size=(64, 48)), size=(16, 12), fps=8)
    assert {frame.shape for frame in recording.frames} == {(12, 16, 3)}
    assert {mask.shape for mask in recording.masks} == {(12, 16)}
    assert len(recording.frames) == len(recording.masks) == 8


def test_small_frames_are_enlarged_with_their_shape_and_large_ones_kept() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3), dtype=np.uint8)
    assert [frame.shape for frame in enlarged(frames, 256)] == [(256, 384, 3)] * 2
    np.testing.assert_array_equal(list(enlarged(frames, 32)), frames)
    np.testing.assert_array_equal(next(enlarged(np.full_like(frames, 7), 256)), 7)
