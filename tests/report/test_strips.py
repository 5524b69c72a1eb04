"""Strips move, loop, stay small, and colour every column in the truth's scale."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from components.errors import Phys4dError
from components.pictures import GAP, LAST
from components.report import strips
from components.report.samples import read_samples
from components.report.strips import FULL_ERROR, SCENES, Scene, draw_scenes, error_colours
from tests.report.conftest import TILE
from tests.report.project import make_samples


def scenes_of(folder: Path, samples: dict[str, NDArray[Any]], *, budget: int = 10**7) -> tuple[Scene, ...]:
    np.savez(folder / "samples.npz", allow_pickle=False, **samples)
    return draw_scenes(read_samples(folder / "samples.npz"), fps=16, budget=budget)


def opened(uri: str) -> Image.Image:
    kind, content = uri.split(",", 1)
    assert kind == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def loaded(image: Image.Image) -> Image.Image:
    image.load()
    return image


def tile(picture: NDArray[np.uint8], *, column: int, row: int) -> NDArray[np.uint8]:
    top, left = row * (TILE + GAP), column * (TILE + GAP)
    return picture[top : top + TILE, left : left + TILE, :3]


def frames_of(scene: Scene) -> NDArray[np.uint8]:
    return np.stack([np.asarray(image.convert("RGBA")) for image in ImageSequence.Iterator(opened(scene.moving))])


def test_a_strip_has_every_frame_at_half_speed_and_loops(tmp_path: Path) -> None:
    scene = scenes_of(tmp_path, make_samples(frames=5))[0]
    with opened(scene.moving) as image:
        durations = [loaded(frame).info["duration"] for frame in ImageSequence.Iterator(image)]
        assert image.info["loop"] == 0
    assert durations == [125, 125, 125, 125, 125 + LAST]


def test_columns_are_the_models_and_rows_their_fields(tmp_path: Path) -> None:
    samples = make_samples(frames=5)
    scene = scenes_of(tmp_path, samples)[0]
    assert [row.key for row in scene.columns] == ["truth", "base", "stage2", "stage3"]
    frames = frames_of(scene)
    assert frames.shape == (5, 4 * TILE + 3 * GAP, 4 * TILE + 3 * GAP, 4)
    for column, row in enumerate(("truth", "base", "stage2", "stage3")):
        expected = samples[f"{row}/rgb"][0, 4].repeat(3, 0).repeat(3, 1).astype(int)
        assert np.abs(tile(frames[4], column=column, row=0) - expected).mean() < 6, row
    assert (frames[0, :, TILE : TILE + GAP, 3] == 0).all()  # the page shows through


def test_equal_depth_has_equal_colour_in_every_column(tmp_path: Path) -> None:
    samples = make_samples(frames=5)
    samples["base/depth"] = samples["truth/depth"].copy()
    samples["base/depth"][0, :, :4, :4] = 1.0  # nearer than anything true: must not move the scale
    samples["base/flow"] = samples["truth/flow"].copy()
    samples["base/flow"][0, :, :4, :4] = 500.0
    frames = frames_of(scenes_of(tmp_path, samples)[0]).astype(int)
    for row in (1, 2):
        one, other = (tile(frames[2], column=column, row=row)[24:] for column in (0, 1))
        assert np.abs(one - other).mean() < 4, row


def test_a_true_pixel_has_the_same_colour_whatever_the_other_columns_show() -> None:
    rng = np.random.default_rng(0)
    rgb, flow = np.zeros((3, 8, 8, 3), np.uint8), rng.normal(0, 2, (3, 8, 8, 2)).astype(np.float32)
    flow[0, 0, 0] = 40.0  # above the quantile that sets the scale
    depth = rng.uniform(2, 9, (3, 8, 8)).astype(np.float32)
    truth: dict[str, NDArray[Any]] = {"rgb": rgb, "depth": depth, "flow": flow}
    alone = strips._coloured({"truth": truth})[0]
    for factor in (0.0, 0.1, 100.0, np.nan):
        other: dict[str, NDArray[Any]] = {"rgb": rgb, "depth": depth * factor, "flow": flow * factor}
        shown = strips._coloured({"truth": truth, "base": other})[0]
        for one, expected in zip(shown, alone, strict=True):
            np.testing.assert_array_equal(one, expected)


def test_an_error_is_white_where_there_is_none_and_grows_to_its_full_colour() -> None:
    truth = np.full((1, 1, 4, 3), 100, np.uint8)
    levels = np.array([0, FULL_ERROR // 4, FULL_ERROR // 2, FULL_ERROR], np.uint8)
    drawn = error_colours(truth + levels[None, None, :, None], truth)[0, 0].astype(int)
    assert drawn[0].tolist() == [255, 255, 255]
    assert drawn[3].tolist() == list(strips.ERROR)
    assert (np.diff(drawn[:, 1]) < 0).all()
    np.testing.assert_allclose(drawn[2], (drawn[0] + drawn[3]) / 2, atol=1)


def test_the_still_one_has_a_line_for_each_model(tmp_path: Path) -> None:
    scene = scenes_of(tmp_path, make_samples(frames=9))[0]
    with opened(scene.still) as image:
        assert image.size == (6 * TILE, 4 * TILE)
    assert scene.seconds == ("0.00", "0.12", "0.19", "0.31", "0.38", "0.50")


def test_no_more_scenes_than_fit_a_page(tmp_path: Path) -> None:
    samples = make_samples(scenes=2, frames=3)
    many = {name: np.concatenate([array] * 5) for name, array in samples.items()}
    assert len(scenes_of(tmp_path, many)) == SCENES


def test_large_and_long_videos_are_reduced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips, "TILE", 24)
    scene = scenes_of(tmp_path, make_samples(scenes=1, frames=81, height=60, width=104))[0]
    assert len(frames_of(scene)) == 27
    assert scene.height == 4 * 24 + 3 * GAP
    assert scene.width == 4 * round(104 * 24 / 60) + 3 * GAP


def test_a_small_budget_is_kept_by_lower_quality(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips, "TILE", 32)
    samples = make_samples(frames=3)
    samples["base/rgb"] = np.random.default_rng(0).integers(0, 256, samples["base/rgb"].shape, dtype=np.uint8)
    free = sum(len(scene.moving) for scene in scenes_of(tmp_path, samples))
    tight = sum(len(scene.moving) for scene in scenes_of(tmp_path, samples, budget=free // 2))
    assert tight < 0.8 * free


@pytest.mark.slow
def test_pictures_of_full_size_and_of_the_worst_kind_fit_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strips, "TILE", 192)
    samples = make_samples(scenes=2, frames=17, height=64, width=64)
    many = {name: np.concatenate([array] * 3) for name, array in samples.items()}
    rng = np.random.default_rng(0)
    for row in ("base", "stage2", "stage3"):
        noise = rng.integers(-20, 21, many[f"{row}/rgb"].shape)
        many[f"{row}/rgb"] = np.clip(many[f"{row}/rgb"] + noise, 0, 255).astype(np.uint8)
    budget = 3_600_000
    scenes = scenes_of(tmp_path, many, budget=budget)
    assert sum(len(scene.moving) + len(scene.still) for scene in scenes) < 1.4 * budget  # base64


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "samples.npz").write_bytes(b"PK not a zip")
    with pytest.raises(Phys4dError, match=r"samples\.npz: not readable .*: run the stage evaluate again"):
        read_samples(tmp_path / "samples.npz")
    samples = make_samples()
    del samples["stage2/flow"]
    np.savez(tmp_path / "samples.npz", allow_pickle=False, **samples)
    with pytest.raises(Phys4dError, match="stage2/flow"):
        read_samples(tmp_path / "samples.npz")
