"""1920 x 1080 pixels at 60 frames a second, by the command, from drawing to the shard on disk."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from components.clip import DEPTH_STEP, FLOW_STEP, Clip
from components.geometry import pixel_grid, project, unproject
from components.index import read_index, read_split
from components.simulation.rotations import matrices

pytestmark = pytest.mark.slow

HEIGHT, WIDTH, FPS, FRAMES = 1080, 1920, 60, 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("full") / "clips"
    command = [sys.executable, "-m", "components", "simulate", "--category", "rigid", "--family", "drop", "--json"]
    command += ["--clips", "1", "--frames", str(FRAMES), "--fps", str(FPS), "--size", f"{HEIGHT}x{WIDTH}"]
    done = subprocess.run(
        [*command, "--orbit", "2", "--out", str(out)], check=True, capture_output=True, text=True, cwd=Path.cwd()
    )
    assert json.loads(done.stdout)["clips"] == 1
    return out


@pytest.fixture(scope="module")
def clip(folder: Path) -> Clip:
    (made,) = read_split(folder)
    return made


def carried(clip: Clip, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the point of every pixel is in the next frame, and at which depth, by poses and cameras alone."""
    grid = pixel_grid(HEIGHT, WIDTH)
    points = unproject(grid, clip.depth[t], clip.intrinsics, clip.extrinsics[t])
    for column, thing in enumerate(clip.objects):
        own = clip.segmentation[t] == thing.id
        here, there = clip.poses[t : t + 2, column].astype(np.float64)
        body = (points[own] - here[:3]) @ matrices(here[None, 3:])[0]
        points[own] = body @ matrices(there[None, 3:])[0].T + there[:3]
    return project(points, clip.intrinsics, clip.extrinsics[t + 1])


def test_it_is_as_large_and_as_fast_as_asked(folder: Path, clip: Clip) -> None:
    (row,) = read_index(folder)
    assert (row.frames, row.height, row.width, row.fps) == (FRAMES, HEIGHT, WIDTH, FPS)
    assert clip.rgb.shape == (FRAMES, HEIGHT, WIDTH, 3)
    assert clip.meta.fps == FPS
    assert row.max_speed > 0


def test_objects_fall_as_in_so_many_sixtieths_of_a_second(clip: Clip) -> None:
    fallen = clip.poses[0, :, 2] - clip.poses[-1, :, 2]
    np.testing.assert_allclose(fallen, 9.81 / 2 * ((FRAMES - 1) / FPS) ** 2, rtol=2e-3)


def test_flow_and_depth_change_are_those_of_poses_and_cameras(clip: Clip) -> None:
    grid = pixel_grid(HEIGHT, WIDTH)
    for t in range(FRAMES - 1):
        pixels, z = carried(clip, t)
        near = clip.valid[t] & (clip.depth[t] < 10)
        assert near.mean() > 0.3
        assert (clip.segmentation[t] > 1).sum() > 5000
        assert np.abs(clip.flow[t] - (pixels - grid))[near].max() < 2 * FLOW_STEP
        assert np.abs(clip.depth_change[t] - (z - clip.depth[t]))[near].max() < 8 * DEPTH_STEP


def test_what_is_visible_is_met_again_at_its_depth(clip: Clip) -> None:
    for t in range(FRAMES - 1):
        pixels, z = carried(clip, t)
        seen = clip.visible[t] & clip.valid[t] & (clip.depth[t] < 10)
        column, row = np.rint(pixels[seen]).astype(int).clip(0, (WIDTH - 1, HEIGHT - 1)).T
        same = clip.segmentation[t + 1][row, column] == clip.segmentation[t][seen]
        assert same.mean() > 0.999
        assert np.median(np.abs(clip.depth[t + 1][row, column] - z[seen])) < 5e-3
