"""A file's frames as a person would see them: upright, at the wanted rate and size."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from components.pseudo_labels.reading import Shown, UnreadableError, fit, read_video_file, resample, sampling_rate
from tests.pseudo_labels.videos import panning, write_file, write_sound

SQUARE = Fraction(1)


def numbered(count: int) -> list[NDArray[np.uint8]]:
    """Frames whose value is their number."""
    return [np.full((2, 2, 3), number, np.uint8) for number in range(count)]


def numbers(shown: list[Shown]) -> list[int]:
    return [int(one.image[0, 0, 0]) for one in shown]


def read(path: Path, *, height: int = 32, width: int = 32, fps: int = 16) -> list[Shown]:
    return list(read_video_file(path, height=height, width=width, rate=sampling_rate(path, fps=fps)))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm", ".gif"])
def test_every_kind_of_file_gives_its_frames_back(tmp_path: Path, suffix: str) -> None:
    frames = panning(12)
    shown = read(write_file(tmp_path / f"video{suffix}", frames))
    assert len(shown) in (11, 12)  # a gif knows hundredths of a second
    error = np.abs(np.stack([one.image for one in shown[:8]]).astype(int) - frames[:8]).mean()
    assert error < (24 if suffix == ".gif" else 12)
    assert not shown[0].continues
    assert all(one.continues and not one.repeated for one in shown[1:])


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_a_turned_video_is_shown_upright(tmp_path: Path, rotation: int) -> None:
    frames = panning(3, height=32, width=48)
    path = write_file(tmp_path / "video.mp4", frames, rotation=rotation)
    upright = np.rot90(frames[0], rotation // 90)
    height, width = upright.shape[:2]
    image = read(path, height=height, width=width)[0].image
    assert np.abs(image.astype(int) - upright).mean() < 12


def test_a_faster_video_loses_frames_and_keeps_its_time() -> None:
    shown = list(resample(((index / 48, frame) for index, frame in enumerate(numbered(13))), rate=16))
    assert numbers(shown) == [0, 3, 6, 9, 12]
    assert [one.continues for one in shown] == [False, True, True, True, True]


def test_uneven_times_are_followed_to_the_nearest_frame() -> None:
    times = [0.0, 0.05, 0.14, 0.2, 0.36]
    shown = list(resample(zip(times, numbered(5), strict=True), rate=10))
    assert numbers(shown) == [0, 2, 3, 4, 4]  # at .0, .1, .2, .3 and .4 seconds
    assert [one.repeated for one in shown] == [False, False, False, False, True]


def test_a_trembling_clock_repeats_nothing() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(200) / 16 + rng.uniform(-0.01, 0.01, 200)
    shown = list(resample(zip(times.tolist(), numbered(200), strict=True), rate=16))
    assert numbers(shown) == list(range(200))


def test_a_long_gap_begins_anew() -> None:
    times = [0.0, 0.1, 7.03, 7.13, 3.0, 3.1]  # a gap, and a clock set back
    shown = list(resample(zip(times, numbered(6), strict=True), rate=10))
    assert numbers(shown) == [0, 1, 2, 3, 4, 5]
    assert [one.continues for one in shown] == [False, True, False, True, False, True]


def test_a_slow_video_keeps_its_own_rate(tmp_path: Path) -> None:
    path = write_file(tmp_path / "slow.mp4", panning(9), fps=8)
    assert sampling_rate(path, fps=16) == pytest.approx(8)
    assert len(read(path)) == 9


def test_a_pause_does_not_make_a_video_slow(tmp_path: Path) -> None:
    times = [*range(0, 1000, 50), 1900, 1950, 2000]  # 20 frames a second, and one of .95 s
    path = write_file(tmp_path / "pause.mp4", panning(23), times=times)
    assert sampling_rate(path, fps=16) == 16
    repeated = [one.repeated for one in read(path)]
    assert sum(repeated) == pytest.approx(0.95 * 16, abs=2)


@pytest.mark.parametrize(("height", "width"), [(33, 47), (101, 35), (500, 300)])
def test_the_middle_of_any_size_fills_the_format(height: int, width: int) -> None:
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows * 255 // height, columns * 255 // width, rows * 0], axis=-1).astype(np.uint8)
    fitted = fit(image, height=16, width=32, pixel_aspect=SQUARE)
    assert fitted.shape == (16, 32, 3)
    assert abs(float(fitted[..., 0].mean()) - 127) < 8  # the crop is in the middle
    assert abs(float(fitted[..., 1].mean()) - 127) < 16


def test_shrinking_is_by_area() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    fitted = fit(image, height=16, width=16, pixel_aspect=SQUARE)
    means = image.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(fitted - means).max() <= 0.51


def test_wide_pixels_count_as_wide() -> None:
    """A picture 16 pixels wide whose pixels are twice as wide as high fills a format of 2:1 as it is."""
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    fitted = fit(image, height=16, width=32, pixel_aspect=Fraction(2))
    np.testing.assert_array_equal(fitted[:, 0], image[:, 0])
    np.testing.assert_array_equal(fitted[:, -1], image[:, -1])


def damaged(path: Path, kind: str) -> Path:
    """A file that is no video, or only says it is one."""
    suffix = ".webm" if kind == "unknown codec" else ".mov"
    good = write_file(path.with_suffix(suffix), panning(20)).read_bytes()
    match kind:
        case "text":
            path.write_text("these are words\n" * 50)
        case "empty":
            path.write_bytes(b"")
        case "cut short":
            path.write_bytes(good[: len(good) // 2])
        case "unknown codec":
            path.write_bytes(good.replace(b"V_VP8", b"V_ZZZ"))
        case "sound":
            write_sound(path)
    return path


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("text", "cannot be read"),
        ("empty", "cannot be read"),
        ("cut short", "cannot be read"),
        ("unknown codec", "its codec is unknown"),
        ("sound", "has no video, sound alone"),
    ],
)
def test_what_is_no_video_says_why(tmp_path: Path, kind: str, cause: str) -> None:
    with pytest.raises(UnreadableError, match=cause):
        read(damaged(tmp_path / "video.mp4", kind))
