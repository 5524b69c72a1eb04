"""Any video as a clip: the frames nearest in time, the middle of the picture, averaged by area."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluation.external.footage import Footage, read_footage
from components.evaluation.external.prompts import Prompt
from components.evaluation.takes import TakePlace
from components.pseudo_labels.reading import UnreadableError
from components.shards import Extent
from tests.evaluation.external.project import write_lossless
from tests.pseudo_labels.videos import write_file

FRAMES = 9


def prompt(*, fps: int = 16, height: int = 8, width: int = 8) -> Prompt:
    extent = Extent(clip_id="test-rigid-000000-v0-t0", shard="", offset=0, size=0, sha256="")
    place = TakePlace(folder=Path(), configuration="", take1=extent, take2=extent)
    return Prompt(
        place=place, camera=(), caption_initial="", view=0, frames=FRAMES, fps=fps, height=height, width=width
    )


def numbered(count: int) -> NDArray[np.uint8]:
    """Frames of one grey level each: ten times their number."""
    return np.repeat(np.arange(0, 10 * count, 10, dtype=np.uint8), 8 * 8 * 3).reshape(count, 8, 8, 3)


def shown(footage: Footage) -> list[int]:
    assert footage.frames.shape == (1, FRAMES, 8, 8, 3)
    return [int(level) // 10 for level in footage.frames[0, :, 0, 0, 0]]


@pytest.mark.parametrize("fps", [16, 20, 24, 25, 30])
def test_every_frame_is_the_nearest_in_time(tmp_path: Path, fps: int) -> None:
    footage = read_footage([write_lossless(tmp_path / "video.mov", numbered(20), fps=fps)], prompt())
    places = np.arange(FRAMES) * fps / 16
    found = np.array(shown(footage))
    assert (np.abs(found - places) <= 0.5).all()
    clear = np.abs(places % 1 - 0.5) > 1e-6  # between two frames either is the nearest
    np.testing.assert_array_equal(found[clear], np.round(places[clear]))
    assert footage.repeated.tolist() == [0]


def test_a_slow_video_keeps_its_time_and_says_how_often_it_stands(tmp_path: Path) -> None:
    footage = read_footage([write_lossless(tmp_path / "video.mov", numbered(5), fps=8)], prompt())
    assert [shown(footage)[turn] for turn in (0, 2, 4, 6, 8)] == [0, 1, 2, 3, 4]
    assert footage.repeated.tolist() == [4]


def test_a_video_of_exactly_the_length_is_long_enough_and_one_frame_less_is_not(tmp_path: Path) -> None:
    good = write_lossless(tmp_path / "good.mov", numbered(FRAMES))
    assert shown(read_footage([good], prompt())) == list(range(FRAMES))
    short = write_lossless(tmp_path / "short.mov", numbered(FRAMES - 1))
    with pytest.raises(
        UnreadableError, match=r"short.mov is too short: 0.50 s, 8 frames at 16 a second; expected 0.56"
    ):
        read_footage([good, short], prompt())


def test_a_wide_video_loses_its_sides_and_shrinks_by_area(tmp_path: Path) -> None:
    """A 16x28 picture for an 8x8 clip: its middle 16 columns, of which every 2x2 pixels give their mean."""
    picture = np.random.default_rng(0).integers(0, 256, (16, 28, 3), dtype=np.uint8)
    path = write_lossless(tmp_path / "wide.mov", np.repeat(picture[None], FRAMES, axis=0))
    found = read_footage([path], prompt()).frames[0, 0]
    means = picture[:, 6:22].reshape(8, 2, 8, 2, 3).mean(axis=(1, 3))
    assert np.abs(found - means).max() <= 0.51


def test_a_high_video_loses_its_top_and_bottom(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 16, 3), dtype=np.uint8)
    path = write_lossless(tmp_path / "high.mov", np.repeat(picture[None], FRAMES, axis=0))
    found = read_footage([path], prompt(height=8, width=16)).frames[0, 0]
    np.testing.assert_array_equal(found, picture[6:14])


def test_samples_come_in_their_order(tmp_path: Path) -> None:
    paths = [write_lossless(tmp_path / f"{start}.mov", numbered(20)[start : start + FRAMES]) for start in (4, 0)]
    found = read_footage(paths, prompt()).frames
    assert [int(sample[0, 0, 0, 0]) for sample in found] == [40, 0]


def test_a_hole_in_a_video_is_an_error(tmp_path: Path) -> None:
    times = [0, 62, 125, 187, 2000, 2062, 2125, 2187, 2250, 2312]
    path = write_file(tmp_path / "hole.mp4", np.repeat(numbered(10), 4, axis=1).repeat(4, axis=2), times=times)
    with pytest.raises(UnreadableError, match=r"hole.mp4 has no frame for 1 s or more after 0.25 s"):
        read_footage([path], prompt())


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "words.mp4").write_text("these are words")
    with pytest.raises(UnreadableError, match=r"words.mp4 cannot be read"):
        read_footage([tmp_path / "words.mp4"], prompt())
