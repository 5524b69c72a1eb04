"""Scenes are cut apart, clips are exactly as long as they must be, and nothing is dropped without a remark."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from components.pseudo_labels.cutting import Cause, Remark, clips_of, histogram_distance
from components.pseudo_labels.reading import Shown
from tests.pseudo_labels.videos import panning

Frames = NDArray[np.uint8]


def shown(frames: Iterable[NDArray[np.uint8]], *, gaps: tuple[int, ...] = (0,)) -> Iterator[Shown]:
    for number, frame in enumerate(frames):
        yield Shown(image=frame, continues=number not in gaps, repeated=False)


def cut(stream: Iterator[Shown], *, frames: int = 5, min_motion: float = 0.05) -> tuple[list[Frames], list[Remark]]:
    pieces = list(clips_of(stream, source="a.mp4", frames=frames, min_motion=min_motion, scene_cut=0.5))
    remarks = [piece for piece in pieces if isinstance(piece, Remark)]
    return [piece for piece in pieces if not isinstance(piece, Remark)], remarks


def test_a_video_becomes_clips_one_after_the_other() -> None:
    video = panning(17)
    clips, remarks = cut(shown(video))
    assert remarks == []
    np.testing.assert_array_equal(np.concatenate(clips), video[:15])


def test_a_clip_never_spans_two_scenes() -> None:
    dark, bright = panning(8) // 4, 255 - panning(12, seed=1) // 4
    clips, remarks = cut(shown([*dark, *bright]))
    assert remarks == []
    np.testing.assert_array_equal(np.stack(clips), np.stack([dark[:5], bright[:5], bright[5:10]]))


def test_a_gap_in_time_ends_a_scene() -> None:
    video = panning(12)
    clips, remarks = cut(shown(video, gaps=(0, 5)))
    np.testing.assert_array_equal(np.stack(clips), np.stack([video[:5], video[5:10]]))
    assert remarks == []


def test_a_scene_without_a_clip_is_said() -> None:
    dark, bright = panning(3) // 4, 255 - panning(6, seed=1) // 4
    clips, remarks = cut(shown([*dark, *bright]))
    assert len(clips) == 1
    assert remarks == [Remark(source="a.mp4", cause=Cause.SHORT, detail="3 frames, expected at least 5")]


def test_a_clip_in_which_nothing_moves_is_said() -> None:
    video = panning(10)
    video[5:] = video[5]
    clips, remarks = cut(shown(video))
    assert len(clips) == 1
    assert [remark.cause for remark in remarks] == [Cause.STATIC]


def test_no_frames_at_all_are_too_short() -> None:
    _, remarks = cut(shown([]))
    assert [remark.detail for remark in remarks] == ["0 frames, expected at least 5"]


@pytest.mark.parametrize(("share", "distance"), [(0.0, 0.0), (0.25, 0.25), (1.0, 1.0)])
def test_the_distance_of_histograms_is_the_share_of_changed_pixels(share: float, distance: float) -> None:
    first = np.zeros((8, 8, 3), np.uint8)
    second = first.copy()
    second.reshape(-1, 3)[: int(64 * share)] = 255
    assert histogram_distance(first, second) == pytest.approx(distance)
