"""Clips as the simulator makes them, for five seconds, under the names and at the rates of Physics-IQ."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from components.dataset.export import Exported, export
from components.evaluation.physics_iq_files import score_folder
from components.evaluation.physics_iq_videos import probe, read_frames
from components.index import read_split
from components.simulation.request import Request, simulate_to_folder
from tests.simulation.test_request import PARAMS, never

pytestmark = pytest.mark.slow

ROOT = Path("physics-IQ-benchmark")
REQUESTED = Request(
    category="rigid", family="drop", clips=1, size="64x64", frames=150, fps=30, seed=7, orbit=None, views=3, takes=2
)
FILES = [  # take 1 from the left, the middle and the right, then take 2
    f"{number:04d}_{{kind}}_{{fps}}FPS_perspective-{view}_take-{take}_trimmed-drop-train-rigid-000000.mp4"
    for number, (take, view) in enumerate(itertools.product((1, 2), ("left", "center", "right")), start=1)
]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "train"
    params = PARAMS.model_copy(
        update={"simulation": PARAMS.simulation.model_copy(update={"clips_per_shard": 6})}  # of one configuration
    )
    simulate_to_folder(REQUESTED, params, out=folder, preview=False, stopped=never)
    return folder


@pytest.fixture(scope="module")
def exported(simulated: Path) -> Path:
    out = simulated.with_name("exported")
    done = export(simulated, layout="physics-iq", out=out, progress=lambda done, total: None)
    assert done == Exported(clips=6, damaged=0, configurations_left_out=0)
    return out


@pytest.mark.parametrize(("fps", "frames"), [(30, 150), (8, 40)])
@pytest.mark.parametrize(
    ("folder", "kind"), [("split-videos/testing", "testing-videos"), ("video-masks/real", "video-masks")]
)
def test_videos_and_masks_have_their_names_rates_and_lengths(
    exported: Path, folder: str, kind: str, fps: int, frames: int
) -> None:
    videos = sorted((exported / ROOT / folder / f"{fps}FPS").iterdir())
    assert [path.name for path in videos] == [name.format(kind=kind, fps=fps) for name in FILES]
    for video in map(probe, videos):
        assert (video.fps, video.frames, video.height, video.width) == (fps, frames, 64, 64)


def test_masks_are_white_where_things_fall(simulated: Path, exported: Path) -> None:
    for clip, name in zip(read_split(simulated), FILES, strict=True):
        path = exported / ROOT / "video-masks/real/30FPS" / name.format(kind="video-masks", fps=30)
        white = np.stack(list(read_frames(probe(path), count=150))).mean(axis=-1) > 127
        moved = clip.segmentation > 1
        assert white[:30].any()
        assert moved[:30][white[:30]].mean() > 3 * moved[:30].mean()


def test_take_1_is_its_own_equal_and_not_take_2s(exported: Path, tmp_path: Path) -> None:
    real = exported / ROOT / "split-videos/testing"
    for name in FILES[:3]:
        path = real / "30FPS" / name.format(kind="testing-videos", fps=30)
        (tmp_path / path.name).symlink_to(path)
    table = score_folder(tmp_path, real, small=True)
    assert (table.total.score, table.total.n) == (100.0, 3)
    assert table.total.variance.st_iou < 1.0
