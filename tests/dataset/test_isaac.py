"""The layout of Isaac's annotators: files, grids, radial depth."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from components.dataset.export import Exported, export
from components.dataset.isaac import radial_depth
from components.errors import ClipError, Phys4dError
from components.geometry import pixel_grid, unproject
from tests.dataset.scenes import SPEED, clip_of, damage, moving_square, write_split


def nothing(_done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("isaac")
    write_split(root / "train", [moving_square()])
    assert export(root / "train", layout="isaac", out=root / "out", progress=nothing).clips == 1
    return root / "out"


def test_radial_depth_is_the_distance_to_the_camera() -> None:
    rng = np.random.default_rng(0)
    intrinsics = np.array([[50.0, 0, 15], [0, 40, 9], [0, 0, 1]])
    depth = rng.uniform(1, 9, (3, 20, 30))
    distance = radial_depth(depth, intrinsics)
    points = unproject(np.broadcast_to(pixel_grid(20, 30), (3, 20, 30, 2)), depth, intrinsics, np.eye(4))
    np.testing.assert_allclose(distance, np.linalg.norm(points, axis=-1), rtol=1e-12)
    assert distance[0, 9, 15] == depth[0, 9, 15]  # on the axis they are one


def test_every_frame_has_its_files(exported: Path) -> None:
    (folder,) = (path for path in exported.iterdir() if path.is_dir())
    names = {f"step_{frame:04d}" for frame in range(4)}
    for field, suffix in (("rgb", "png"), ("motion_vectors", "npy"), ("motion_known", "png")):
        assert {path.name for path in (folder / field).iterdir()} == {f"{name}.{suffix}" for name in names}
    clip = moving_square()
    picture = cv2.imread(str(folder / "rgb/step_0002.png"))
    assert picture is not None
    np.testing.assert_array_equal(picture[..., ::-1], clip.rgb[2])
    distance = np.load(folder / "distance_to_camera/step_0003.npy")
    np.testing.assert_allclose(distance, radial_depth(clip.depth[3], clip.intrinsics), rtol=1e-6)
    assert (folder / "caption.txt").read_text().strip() == clip.meta.caption
    assert json.loads((folder / "metadata.json").read_text())["clip"]["meta"]["seed"] == clip.meta.seed


def test_motion_of_a_step_leads_into_it_and_has_four_channels(exported: Path) -> None:
    (folder,) = (path for path in exported.iterdir() if path.is_dir())
    clip = moving_square()
    first, second = (np.load(folder / f"motion_vectors/step_000{step}.npy") for step in (0, 2))
    assert second.shape == (*clip.depth.shape[1:], 4)
    assert second.dtype == np.float32
    assert not first.any()
    assert not second[..., 2:].any()
    square = clip.segmentation[2] == 2  # on the grid of frame 2
    assert (second[square, 0] > SPEED).all()
    assert np.abs(second[~square]).max() < 1e-4


def test_the_readme_says_what_is_not_verified(exported: Path) -> None:
    assert "unverified against Isaac" in (exported / "README.md").read_text()


def test_several_splits_have_a_folder_each(tmp_path: Path) -> None:
    for name in ("train", "test"):
        write_split(tmp_path / "in" / name, [clip_of(0)])
    assert export(tmp_path / "in", layout="isaac", out=tmp_path / "out", progress=nothing).clips == 2
    assert (tmp_path / "out/test/train-rigid-000000-v0-t0/rgb/step_0004.png").is_file()


def test_a_damaged_clip_is_named_or_left_out(tmp_path: Path) -> None:
    folder = write_split(tmp_path / "train", [clip_of(number) for number in range(2)])
    damage(folder)
    with pytest.raises(ClipError, match=r"train-rigid-000000-v0-t0.*shard-00000\.tar"):
        export(folder, layout="isaac", out=tmp_path / "out", progress=nothing)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train"]
    exported = export(folder, layout="isaac", out=tmp_path / "out", skip_damaged=True, progress=nothing)
    assert exported == Exported(clips=1, damaged=1, configurations_left_out=1)
    assert not (tmp_path / "out/train-rigid-000000-v0-t0").exists()


def test_nothing_but_damage_is_no_export(tmp_path: Path) -> None:
    folder = write_split(tmp_path / "train", [clip_of(0)])
    damage(folder)
    with pytest.raises(Phys4dError, match="all 1 clips are damaged"):
        export(folder, layout="isaac", out=tmp_path / "out", skip_damaged=True, progress=nothing)
    assert not (tmp_path / "out").exists()
