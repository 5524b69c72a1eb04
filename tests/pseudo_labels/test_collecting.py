"""A folder of videos becomes clips of one format; what is left out is counted and said with its cause."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from components.errors import ClipError, ExitCode, ParametersError, StoppedError
from components.pseudo_labels.collecting import collect
from components.pseudo_labels.sources import FILES_PER_SHARD, folder_source, split_source
from components.pseudo_labels.storage import VideoRow, read_rows, read_videos
from tests.clips import make_clip
from tests.pseudo_labels.videos import FORM, LIMITS, Counter, collected, panning, write_file, write_sound
from tests.test_quality import write_split


def messages(error: str) -> list[str]:
    return [line for line in error.splitlines() if line.startswith("warning: ")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good videos, one of them in a folder below."""
    write_file(tmp_path / "in" / "red_ball.mp4", panning(11))
    write_file(tmp_path / "in" / "more" / "A dog.webm", panning(6, height=48, width=64, seed=1))
    return tmp_path / "in"


def test_every_clip_has_the_format_a_caption_and_its_source(folder: Path, tmp_path: Path) -> None:
    (folder / "captions.csv").write_text("file,caption\nred_ball.mp4,A red ball rolls.\n")
    figures, rows = collected(folder, tmp_path / "work")
    videos = list(read_videos(tmp_path / "work" / "videos"))
    assert figures == {"clips": 3}
    assert {video.rgb.shape for video in videos} == {(5, 32, 32, 3)}
    assert [(video.caption, video.source) for video in videos] == [
        ("A dog", "more/A dog.webm"),
        ("A red ball rolls.", "red_ball.mp4"),
        ("A red ball rolls.", "red_ball.mp4"),
    ]
    assert [row.clip_id for row in rows] == [
        "video-00000-a-dog-0000",
        "video-00001-red-ball-0000",
        "video-00001-red-ball-0001",
    ]
    assert not any(row.simulated for row in rows)


def test_names_that_are_alike_or_odd_give_clips_of_their_own(tmp_path: Path) -> None:
    for name in ("a.mp4", "A.mov", "ü.mp4", "x" * 120 + ".mp4", "a.b.mp4"):
        write_file(tmp_path / "in" / name, panning(5))
    _, rows = collected(tmp_path / "in", tmp_path / "work")
    assert len({row.clip_id for row in rows}) == 5
    assert len(list(read_videos(tmp_path / "work" / "videos"))) == 5


def test_whatever_is_left_out_is_counted_and_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_file(folder / "short.mp4", panning(3))
    write_file(folder / "still.mp4", panning(6, step=0))
    (folder / "words.mp4").write_text("no video")
    (folder / "zero.gif").touch()
    write_sound(folder / "sound.mp4")
    (folder / "notes.txt").write_text("notes")
    (folder / "captions.csv").write_text("file,caption\ngone.mp4,It is gone.\n")
    figures, _ = collected(folder, tmp_path / "work")
    assert figures == {"clips": 3, "no_video_file": 1, "no_file": 1, "short": 1, "static": 1, "unreadable": 3}
    said = messages(capsys.readouterr().err)
    assert len(said) == 5
    for words in (
        "1 left out, no mp4, mov, webm or gif: notes.txt",
        "1 caption without its file: gone.mp4",
        "1 left out, shorter than a clip: short.mp4 (3 frames, expected at least 5)",
        "1 left out, nothing moves: still.mp4",
        "3 left out: sound.mp4 (has no video, sound alone), words.mp4 (cannot be read",
    ):
        assert any(words in line for line in said)


def test_a_slow_video_is_used_and_said(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_file(folder / "slow.mp4", panning(10), fps=8)
    figures, _ = collected(folder, tmp_path / "work")
    assert figures == {"clips": 5, "slow": 1}
    assert "1 used, but faster than in the world: slow.mp4 (8 frames a second" in capsys.readouterr().err


def test_many_of_one_cause_are_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(9):
        (folder / f"bad-{number}.mp4").write_text("words")
    collected(folder, tmp_path / "work")
    (line,) = messages(capsys.readouterr().err)
    assert "9 left out: bad-0.mp4" in line
    assert line.endswith("and 4 more")


def test_a_file_cut_short_gives_the_clips_before_the_damage(tmp_path: Path) -> None:
    whole = write_file(tmp_path / "whole.webm", panning(60))
    target = tmp_path / "in" / "cut.webm"
    target.parent.mkdir()
    target.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    _, rows = collected(tmp_path / "in", tmp_path / "work")
    assert 1 <= len(rows) < 12


def empty(folder: Path) -> None:
    folder.mkdir()


def other_files(folder: Path) -> None:
    empty(folder)
    (folder / "readme.txt").write_text("words")


def three_frames(folder: Path) -> None:
    write_file(folder / "short.mp4", panning(3))


def words(folder: Path) -> None:
    empty(folder)
    (folder / "words.mp4").write_text("words")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "is no folder"),
        (empty, "holds no video, expected .mp4, .mov, .webm, .gif"),
        (other_files, "holds no video"),
        (three_frames, "no usable video.*short.mp4 .3 frames, expected at least 5"),
        (words, "no usable video.*words.mp4 .cannot be read"),
    ],
)
def test_a_folder_without_a_usable_video_is_refused(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    make(tmp_path / "in")
    with pytest.raises(ParametersError, match=f"videos.source: .*{message}") as error:
        collected(tmp_path / "in", tmp_path / "work")
    assert error.value.code is ExitCode.BAD_PARAMETERS
    assert "\n" not in str(error.value)


def test_the_same_videos_give_the_same_bytes_whoever_collects_them(tmp_path: Path) -> None:
    for number in range(FILES_PER_SHARD + 2):
        write_file(tmp_path / "in" / f"{number:02d}.mp4", panning(6, seed=number))
    for processes in (1, 2):
        collected(tmp_path / "in", tmp_path / str(processes), processes=processes)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / str(processes) / "videos").iterdir()}
        for processes in (1, 2)
    )
    assert set(first) == {"shard-00000.tar", "shard-00001.tar", "index.parquet", "remarks.parquet"}
    assert first == second


def test_a_shard_without_a_usable_video_leaves_no_file(tmp_path: Path) -> None:
    write_file(tmp_path / "in" / "zz.mp4", panning(6))
    for number in range(FILES_PER_SHARD):
        (tmp_path / "in" / f"{number:02d}.mp4").write_text("words")
    _, rows = collected(tmp_path / "in", tmp_path / "work")
    assert [row.shard for row in rows] == ["shard-00001.tar"]
    assert not (tmp_path / "work" / "videos" / "shard-00000.tar").exists()


def test_a_stopped_collection_goes_on_where_it_was(tmp_path: Path) -> None:
    for number in range(2 * FILES_PER_SHARD):
        write_file(tmp_path / "in" / f"{number:02d}.mp4", panning(5, seed=number))
    source, work = folder_source(tmp_path / "in", FORM, LIMITS, field="videos.source"), tmp_path / "work"
    display = Counter()
    with pytest.raises(StoppedError):
        collect(
            source,
            field="videos.source",
            work=work,
            processes=1,
            stopped=lambda: display.done > 0,
            display=display,
        )
    kept = (work / "videos" / "shard-00000.tar").stat().st_mtime_ns
    display = Counter()
    collect(source, field="videos.source", work=work, processes=1, stopped=lambda: False, display=display)
    assert display.resumed == display.done == FILES_PER_SHARD
    assert (work / "videos" / "shard-00000.tar").stat().st_mtime_ns == kept
    collected(tmp_path / "in", tmp_path / "afresh")
    assert _bytes(work / "videos") == _bytes(tmp_path / "afresh" / "videos")


def test_files_that_change_between_two_attempts_are_seen(tmp_path: Path) -> None:
    for number in range(2 * FILES_PER_SHARD):
        write_file(tmp_path / "in" / f"{number:02d}.mp4", panning(5, seed=number))
    source, display = folder_source(tmp_path / "in", FORM, LIMITS, field="videos.source"), Counter()
    with pytest.raises(StoppedError):
        collect(
            source,
            field="videos.source",
            work=tmp_path,
            processes=1,
            stopped=lambda: display.done > 0,
            display=display,
        )
    write_file(tmp_path / "in" / "00.mp4", panning(10, seed=99))
    _, rows = collected(tmp_path / "in", tmp_path)
    assert [row.clip_id for row in rows if row.source == "00.mp4"] == ["video-00000-00-0000", "video-00000-00-0001"]


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_simulated_split_gives_its_rgb_and_what_is_said_of_its_first_frame(tmp_path: Path) -> None:
    write_split(tmp_path / "split")
    source = split_source(tmp_path / "split", LIMITS)
    collect(source, field="videos.source", work=tmp_path, processes=1, stopped=lambda: False, display=Counter())
    rows = read_rows(tmp_path / "videos", VideoRow)
    assert len(rows) == 6
    assert all(row.simulated for row in rows)
    for number, video in enumerate(read_videos(tmp_path / "videos")):
        clip = make_clip(f"train-rigid-{number:06d}-v0-t0", seed=number)
        np.testing.assert_array_equal(video.rgb, clip.rgb)
        assert video.caption == clip.meta.caption_initial
        assert video.source == f"train/{clip.meta.clip_id}"


def test_a_damaged_video_names_itself_and_the_stage_that_made_it(folder: Path, tmp_path: Path) -> None:
    _, rows = collected(folder, tmp_path / "work")
    shard = tmp_path / "work" / "videos" / rows[1].shard
    content = bytearray(shard.read_bytes())
    content[rows[1].offset + 700] ^= 1
    shard.write_bytes(content)
    videos = read_videos(tmp_path / "work" / "videos")
    next(videos)
    with pytest.raises(ClipError, match=f"{rows[1].clip_id}.*phys4d stage collect_videos --force"):
        next(videos)


def test_shards_are_what_any_reader_of_tar_files_reads(folder: Path, tmp_path: Path) -> None:
    import tarfile

    _, rows = collected(folder, tmp_path / "work")
    with tarfile.open(tmp_path / "work" / "videos" / rows[0].shard) as archive:
        names = archive.getnames()
        description = archive.extractfile(f"{rows[0].clip_id}.json")
        assert description is not None
        assert json.loads(description.read())["caption"] == "A dog"
    assert names == [f"{row.clip_id}.{suffix}" for row in rows for suffix in ("json", "rgb.npy.b2")]
