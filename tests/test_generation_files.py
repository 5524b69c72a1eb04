"""What `phys4d generate` writes can be read back, and is there whole or not at all."""

import json
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from components.errors import ParametersError
from components.generate import Generated
from components.generation_files import write_generation, write_points, write_video
from components.geometry import pixel_grid, project

K = np.array([[70.0, 0, 11.5], [0, 72.0, 7.5], [0, 0, 1]])
FAR = 100.0


def make_videos(*, frames: int = 5, height: int = 16, width: int = 24, heads: bool = True) -> Generated:
    """Two videos whose smooth pictures move to the right; the last row of pixels is sky."""
    rng = np.random.default_rng(0)
    grid = (2, frames, height, width)
    smooth = cv2.GaussianBlur(rng.integers(0, 256, (height, width + frames, 3), dtype=np.uint8), (0, 0), 3)
    rgb = np.stack([np.stack([smooth[:, t : t + width] for t in range(frames)])] * 2).astype(np.uint8)
    if not heads:
        return Generated(latents=torch.empty(0), rgb=rgb)
    motion = (2, frames - 1, height, width)
    depth = rng.uniform(2, 9, grid).astype(np.float32)
    depth[:, :, -1] = FAR
    return Generated(
        latents=torch.empty(0),
        rgb=rgb,
        depth=depth,
        foreground=rng.random(grid, dtype=np.float32),
        flow=rng.normal(size=(*motion, 2)).astype(np.float32),
        depth_change=rng.normal(size=motion).astype(np.float32),
        visibility=rng.random(motion, dtype=np.float32),
    )


def write(folder: Path, videos: Generated, *, sample: int = 1, overwrite: bool = False) -> None:
    write_generation(
        folder,
        videos,
        sample=sample,
        intrinsics=K,
        far=FAR,
        fps=16,
        description={"prompt": "A red ball.", "seed": 3},
        overwrite=overwrite,
    )


def read_points(path: Path) -> NDArray[np.void]:
    """The vertices of a binary PLY file by its own header."""
    header, body = path.read_bytes().split(b"end_header\n", 1)
    lines = header.decode().splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    kinds = {"float": "<f4", "uchar": "u1"}
    fields = [(line.split()[2], kinds[line.split()[1]]) for line in lines if line.startswith("property")]
    count = next(int(line.split()[2]) for line in lines if line.startswith("element vertex"))
    vertices = np.frombuffer(body, dtype=fields)
    assert len(vertices) == count
    return vertices


def read_video(path: Path) -> tuple[NDArray[np.uint8], float]:
    with av.open(str(path)) as container:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
        rate = container.streams.video[0].average_rate
        assert rate is not None
        return frames, float(rate)


def test_points_reproject_onto_their_pixels_at_their_depth(tmp_path: Path) -> None:
    videos = make_videos()
    write(tmp_path / "out", videos)
    assert videos.depth is not None
    assert len(list((tmp_path / "out/points").iterdir())) == 5
    for frame in range(5):
        vertices = read_points(tmp_path / f"out/points/{frame:04d}.ply")
        points = np.stack([vertices[name] for name in "xyz"], axis=-1)
        pixels, depth = project(points, K, np.eye(4))
        seen = np.s_[:-1]  # without the sky
        np.testing.assert_allclose(pixels, pixel_grid(16, 24)[seen].reshape(-1, 2), atol=1e-4)
        np.testing.assert_allclose(depth, videos.depth[1, frame][seen].ravel(), rtol=1e-6)
        colours = np.stack([vertices[name] for name in ("red", "green", "blue")], axis=-1)
        np.testing.assert_array_equal(colours, videos.rgb[1, frame][seen].reshape(-1, 3))


def test_depth_and_motion_are_read_back_as_they_were(tmp_path: Path) -> None:
    videos = make_videos()
    write(tmp_path / "out", videos)
    with np.load(tmp_path / "out/depth.npz", allow_pickle=False) as stored:
        assert videos.depth is not None
        np.testing.assert_array_equal(stored["depth"], videos.depth[1])
        np.testing.assert_array_equal(stored["valid"], videos.depth[1] < FAR / 2)
        np.testing.assert_array_equal(stored["intrinsics"], K)
    with np.load(tmp_path / "out/motion.npz", allow_pickle=False) as stored:
        for name in ("flow", "depth_change", "visibility", "foreground"):
            np.testing.assert_array_equal(stored[name], getattr(videos, name)[1])
    assert json.loads((tmp_path / "out/generation.json").read_text()) == {"prompt": "A red ball.", "seed": 3}


def test_pixels_without_a_depth_are_not_valid_and_no_points(tmp_path: Path) -> None:
    videos = make_videos()
    assert videos.depth is not None
    videos.depth[1, 0, 0, :3] = (np.nan, np.inf, 0)
    write(tmp_path / "out", videos)
    assert len(read_points(tmp_path / "out/points/0000.ply")) == 15 * 24 - 3
    with np.load(tmp_path / "out/depth.npz") as stored:
        assert not stored["valid"][0, 0, :3].any()


def test_the_video_shows_the_frames_at_their_rate(tmp_path: Path) -> None:
    videos = make_videos(height=64, width=64)
    write(tmp_path / "out", videos)
    frames, rate = read_video(tmp_path / "out/rgb.mp4")
    assert rate == 16
    assert frames.shape == videos.rgb[1].shape
    error = np.mean((frames.astype(float) - videos.rgb[1]) ** 2)
    assert 10 * np.log10(255**2 / error) > 34


def test_odd_sizes_are_padded_for_the_encoder(tmp_path: Path) -> None:
    frames = make_videos(height=17, width=23).rgb[0]
    write_video(tmp_path / "a.mp4", frames, fps=8)
    read, _ = read_video(tmp_path / "a.mp4")
    assert read.shape == (5, 18, 24, 3)


def test_without_h264_there_is_a_video_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str, _mode: str) -> None:
        raise av.codec.codec.UnknownCodecError(name)

    monkeypatch.setattr(av.codec, "Codec", unknown)
    frames = make_videos(height=64, width=64).rgb[0]
    write_video(tmp_path / "a.mp4", frames, fps=16)
    read, _ = read_video(tmp_path / "a.mp4")
    assert np.abs(read.astype(float) - frames).mean() < 6


def test_the_same_sample_gives_the_same_bytes(tmp_path: Path) -> None:
    videos = make_videos()
    for name in ("one", "two"):
        write(tmp_path / name, videos)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) == 10
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_a_model_without_heads_leaves_video_and_preview_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "out", make_videos(heads=False))
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {"rgb.mp4", "preview.png", "generation.json"}
    assert "no heads" in capsys.readouterr().err


def test_the_preview_has_a_row_for_each_field(tmp_path: Path) -> None:
    write(tmp_path / "out", make_videos())
    picture = cv2.imread(str(tmp_path / "out/preview.png"))
    assert picture is not None
    assert picture.shape == (4 * 16 * 8, 6 * 24 * 8, 3)


def test_when_it_fails_nothing_is_left(tmp_path: Path) -> None:
    videos = make_videos()
    with pytest.raises(TypeError):
        write(tmp_path / "out", replace(videos, visibility=None))
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".out.part/points").mkdir(parents=True)
    (tmp_path / ".out.part/points/0009.ply").touch()
    write(tmp_path / "out", make_videos())
    assert not (tmp_path / "out/points/0009.ply").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_earlier_generation_is_replaced_when_asked(tmp_path: Path) -> None:
    write(tmp_path / "out", make_videos(frames=9))
    with pytest.raises(ParametersError, match="holds an earlier generation: name another folder, or give --force"):
        write(tmp_path / "out", make_videos())
    assert len(list((tmp_path / "out/points").iterdir())) == 9
    write(tmp_path / "out", make_videos(), overwrite=True)
    assert len(list((tmp_path / "out/points").iterdir())) == 5


def test_anything_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").touch()
    with pytest.raises(ParametersError, match=r"holds thesis\.tex, which is of no generation"):
        write(tmp_path / "out", make_videos(), overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(ParametersError, match="is a file, expected a folder"):
        write(tmp_path / "file", make_videos(), overwrite=True)
    with pytest.raises(ParametersError, match="file is a file, expected a folder"):
        write(tmp_path / "file/out", make_videos())


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["points/0000.ply"], r"holds points and no generation\.json, so it may be yours: name another folder"),
        (["rgb.mp4"], r"holds rgb\.mp4 and no generation\.json"),
        (["generation.json", "points/scan.ply"], r"holds points/scan\.ply, which is of no generation"),
        (["generation.json", "points/0000.ply/mine.txt"], r"holds points/0000\.ply, which is of no generation"),
        (["generation.json", "points"], "holds points, which is of no generation"),
    ],
)
def test_names_like_those_of_a_generation_do_not_make_one(
    tmp_path: Path, files: list[str], message: str, overwrite: bool
) -> None:
    for name in files:
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).touch()
    with pytest.raises(ParametersError, match=message):
        write(tmp_path / "out", make_videos(), overwrite=overwrite)
    assert all((tmp_path / "out" / name).is_file() for name in files)


def test_the_folder_one_stands_in_is_not_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParametersError, match="holds the folder you are in"):
        write(Path(), make_videos())


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", make_videos())
    assert (tmp_path / "out/rgb.mp4").is_file()


def test_no_points_are_a_file_of_none(tmp_path: Path) -> None:
    write_points(tmp_path / "a.ply", np.empty((0, 3)), np.empty((0, 3), np.uint8), comment="empty")
    assert len(read_points(tmp_path / "a.ply")) == 0
