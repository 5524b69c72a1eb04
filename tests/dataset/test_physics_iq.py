"""A protocol set under the benchmark's names is scored as the benchmark scores, and only a protocol set is."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.clip import Clip
from components.dataset.export import Exported, export
from components.dataset.physics_iq import FRAMES
from components.errors import ClipError, ParametersError, Phys4dError
from components.evaluation.physics_iq import frames_in
from components.evaluation.physics_iq_files import score_folder
from components.evaluation.physics_iq_videos import probe, read_frames
from components.index import index_row, write_index
from components.shards import new_shard, pack, shard_name
from tests.dataset.scenes import clip_of, damage, write_split
from tests.evaluation.physics_iq_samples import clip as discs

SIZE = (64, 48)  # width, height
REAL = Path("physics-IQ-benchmark/split-videos/testing")


def nothing(_done: int, _total: int) -> None:
    pass


def protocol_clip(number: int, *, view: int, take: int, frames: int = FRAMES, fps: int = 30) -> Clip:
    """Discs that fall, a little faster in take 2: only the video and the meta are as the contract says."""
    clip = clip_of(number, view=view, take=take, fps=fps, family="drop_ball")
    rgb = discs(seed=10 * number + view, seconds=frames / fps, fps=fps, size=SIZE, speed=1 + 0.05 * take)
    grid = (frames, *rgb.shape[1:3])
    steps = (frames - 1, *grid[1:])
    return replace(
        clip,
        rgb=rgb,
        depth=np.ones(grid, np.float32),
        valid=np.ones(grid, np.bool_),
        flow=np.zeros((*steps, 2), np.float32),
        depth_change=np.zeros(steps, np.float32),
        visible=np.ones(steps, np.bool_),
        segmentation=np.ones(grid, np.uint16),
        extrinsics=np.tile(np.eye(4, dtype=np.float32), (frames, 1, 1)),
        tracks=np.zeros((frames, 4, 3), np.float32),
        tracks_visible=np.ones((frames, 4), np.bool_),
        poses=np.zeros((frames, 1, 7), np.float32),
        velocities=np.zeros((frames, 1, 6), np.float32),
    )


PROTOCOL = [(view, take) for take in range(2) for view in range(3)]


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clips = [
        protocol_clip(number, view=view, take=take, frames=153 if number else FRAMES)
        for number in range(2)
        for view, take in PROTOCOL
    ]
    return write_split(tmp_path_factory.mktemp("protocol") / "test", clips, each=6)


@pytest.fixture(scope="module")
def exported(split: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "out"
    exported = export(split, layout="physics-iq", out=out, progress=nothing)
    assert exported == Exported(clips=12, damaged=0, configurations_left_out=0)
    return out


@pytest.mark.parametrize("fps", [30, 8])
def test_real_take_1_scores_100(exported: Path, fps: int, tmp_path: Path) -> None:
    for path in sorted((exported / REAL / f"{fps}FPS").iterdir())[:6]:
        shutil.copy(path, tmp_path)
    table = score_folder(tmp_path, exported / REAL, small=True)
    score = table.total
    assert (score.score, score.n, score.scenarios) == (100.0, 6, 2)
    assert list(table.categories) == ["rigid"]  # descriptions.csv stands above the real videos
    assert score.variance.st_iou < 0.95  # the takes differ


def test_names_are_the_benchmarks(exported: Path) -> None:
    videos = sorted(path.name for path in (exported / REAL / "30FPS").iterdir())
    assert len(videos) == 12
    first, last = "trimmed-drop-ball-train-rigid-000000", "trimmed-drop-ball-train-rigid-000001"
    assert videos[1] == f"0002_testing-videos_30FPS_perspective-center_take-1_{first}.mp4"
    assert videos[11] == f"0012_testing-videos_30FPS_perspective-right_take-2_{last}.mp4"
    masks = exported / "physics-IQ-benchmark/video-masks/real/8FPS"
    assert sorted(path.name for path in masks.iterdir()) == [
        name.replace("testing-videos_30FPS", "video-masks_8FPS") for name in videos
    ]
    pictures = sorted(path.name for path in (exported / "physics-IQ-benchmark/switch-frames").iterdir())
    assert len(pictures) == 6
    assert pictures[3] == f"0004_switch-frames_anyFPS_perspective-left_{last}.jpg"
    assert all(name.count("_") == 5 for name in videos)  # the benchmark splits names there
    with (exported / "descriptions.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["scenario"][:4] for line in lines] == [f"{id_:04d}" for id_ in range(1, 13)]
    assert lines[6]["generated_video_name"] == f"0001_perspective-left_{first}.mp4"  # take 2 names take 1's


@pytest.mark.parametrize("fps", [30, 8])
def test_videos_and_masks_have_five_seconds_of_their_rate(exported: Path, fps: int) -> None:
    for kind in (REAL, Path("physics-IQ-benchmark/video-masks/real")):
        for path in (exported / kind / f"{fps}FPS").iterdir():
            video = probe(path)
            assert (video.fps, video.frames) == (fps, frames_in(5.0, fps=fps))


def test_the_video_shows_the_clip(exported: Path) -> None:
    path = min((exported / REAL / "30FPS").iterdir())
    stored = np.stack(list(read_frames(probe(path), count=FRAMES))).mean(axis=-1)
    clip = protocol_clip(0, view=0, take=0).rgb.mean(axis=-1)
    assert np.abs(stored - clip).mean() < 3
    assert np.abs(stored[1:] - clip[:-1]).mean() > np.abs(stored[1:] - clip[1:]).mean()


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([(view, 0) for view in range(3)], "has 3 clips, 3 views and 1 takes; expected 3 views in 2 takes"),
        ([(0, take) for take in range(2)], "has 2 clips, 1 views and 2 takes; expected 3 views in 2 takes"),
    ],
)
def test_other_views_and_takes_are_refused(clips: list[tuple[int, int]], message: str, tmp_path: Path) -> None:
    folder = write_split(tmp_path / "test", [clip_of(0, view=view, take=take) for view, take in clips])
    with pytest.raises(ParametersError, match=message):
        export(folder, layout="physics-iq", out=tmp_path / "out", progress=nothing)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("frames", "fps", "found"), [(149, 30, "149 frames at 30"), (150, 16, "150 frames at 16")])
def test_another_length_or_rate_is_refused(frames: int, fps: int, found: str, tmp_path: Path) -> None:
    clips = [protocol_clip(0, view=view, take=take, frames=frames, fps=fps) for view, take in PROTOCOL]
    folder = write_split(tmp_path / "test", clips)
    with pytest.raises(ParametersError, match=f"{found} fps.* expected 5 seconds at 30 fps, 150 frames or more"):
        export(folder, layout="physics-iq", out=tmp_path / "out", progress=nothing)


def test_several_splits_are_refused(tmp_path: Path) -> None:
    for name in ("dev", "test"):
        write_split(tmp_path / "in" / name, [clip_of(0)])
    with pytest.raises(ParametersError, match=r"found 2 splits \(dev, test\), expected one"):
        export(tmp_path / "in", layout="physics-iq", out=tmp_path / "out", progress=nothing)


def test_a_damaged_clip_takes_its_configuration_along(
    split: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "test"
    shutil.copytree(split, folder)
    damage(folder)
    with pytest.raises(Phys4dError, match=r"train-rigid-000000-v0-t0.*shard-00000\.tar"):
        export(folder, layout="physics-iq", out=tmp_path / "out", progress=nothing)
    exported = export(folder, layout="physics-iq", out=tmp_path / "out", skip_damaged=True, progress=nothing)
    assert exported == Exported(clips=6, damaged=1, configurations_left_out=1)
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("left out: clip train-rigid-000000-v0-t0: its bytes in shard")
    assert "shard-00000.tar" in said[0]
    assert said[1].startswith("left out: 1 of 2 configurations, each with all its clips")
    names = sorted(path.name for path in (tmp_path / "out" / REAL / "8FPS").iterdir())
    assert names[0].startswith("0001_")
    assert all("000001" in name for name in names)


def test_so_does_a_clip_that_breaks_the_contract(tmp_path: Path) -> None:
    folder, rows = tmp_path / "test", []
    with new_shard(folder / shard_name(0)) as shard:
        for number in range(2):
            for view, take in PROTOCOL:
                clip = protocol_clip(number, view=view, take=take)
                if (number, view, take) == (0, 2, 1):
                    clip = replace(clip, depth=np.full_like(clip.depth, np.inf))  # under a right checksum
                content = pack(clip.meta.clip_id, clip.arrays(), clip.description())
                rows.append(index_row(clip, shard.append(clip.meta.clip_id, content)))
    write_index(folder, rows)
    with pytest.raises(ClipError, match=r"train-rigid-000000-v2-t1.*depth.*shard-00000\.tar"):
        export(folder, layout="physics-iq", out=tmp_path / "out", progress=nothing)
    exported = export(folder, layout="physics-iq", out=tmp_path / "out", skip_damaged=True, progress=nothing)
    assert exported == Exported(clips=6, damaged=1, configurations_left_out=1)


def test_nothing_but_damaged_configurations_is_no_export(split: Path, tmp_path: Path) -> None:
    folder = tmp_path / "test"
    shutil.copytree(split, folder)
    for shard in range(2):
        damage(folder, shard)
    with pytest.raises(Phys4dError, match="every configuration has a damaged clip, nothing was exported"):
        export(folder, layout="physics-iq", out=tmp_path / "out", skip_damaged=True, progress=nothing)
    assert [path.name for path in tmp_path.iterdir()] == ["test"]
