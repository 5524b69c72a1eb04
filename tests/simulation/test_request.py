"""Clips of one category, or of all, outside the graph: whole or not at all, never over something else."""

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from components.errors import ParametersError, StoppedError
from components.geometry import project
from components.index import SUMMARY_FILE, read_index, read_split
from components.parameters.loader import load_params
from components.parameters.rules.simulation import SOLVER_RATE
from components.simulation.catalogue import CATEGORY_NAMES
from components.simulation.clips import configuration_clips
from components.simulation.generate import count_clips
from components.simulation.parts import Part
from components.simulation.request import PREVIEW, REQUEST, Request, requested, simulate_to_folder
from components.simulation.solvers import bullet, bullet_grains, bullet_joints, elastic, xpbd

LAPTOP = load_params(Path(__file__).parents[2] / "profiles" / "laptop.yaml")
PARAMS = LAPTOP.model_copy(
    update={
        "resources": LAPTOP.resources.model_copy(update={"processes": 1}),
        "simulation": LAPTOP.simulation.model_copy(update={"clips_per_shard": 2, "samples_per_pixel": 1}),
    }
)
REQUESTED = Request(
    category="rigid", family="ramp", clips=3, size="24x32", frames=5, fps=None, seed=7, orbit=None, views=1, takes=1
)

ALL = replace(REQUESTED, category="all", family=None, clips=1, size="64x64", frames=5)


def never() -> bool:
    return False


def made(out: Path, request: Request = REQUESTED, *, preview: bool = False) -> dict[str, bytes]:
    simulate_to_folder(request, PARAMS, out=out, preview=preview, stopped=never)
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_the_clips_are_those_asked_for(tmp_path: Path) -> None:
    files = made(tmp_path / "clips", preview=True)
    assert set(files) == {"shard-00000.tar", "shard-00001.tar", "index.parquet", SUMMARY_FILE, REQUEST, PREVIEW}
    clips = list(read_split(tmp_path / "clips"))
    assert [clip.meta.family for clip in clips] == ["ramp"] * 3
    assert clips[0].rgb.shape == (5, 24, 32, 3)
    (same,) = configuration_clips(requested(REQUESTED, PARAMS), split="train", category="rigid", index=1)
    assert clips[1].description() == same.description()
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]


def test_cameras_orbit_where_that_is_asked_for(tmp_path: Path) -> None:
    request = replace(REQUESTED, clips=2, orbit=-30.0)
    simulate_to_folder(request, PARAMS, out=tmp_path / "clips", preview=False, stopped=never)
    for clip in read_split(tmp_path / "clips"):
        assert clip.meta.parameters["orbit"] == -30.0
        assert "30.0 degrees" in clip.meta.caption_initial
        assert (clip.extrinsics[-1] != clip.extrinsics[0]).any()


def test_the_preview_shows_every_frame_of_four_fields(tmp_path: Path) -> None:
    made(tmp_path / "clips", preview=True)
    with av.open(str(tmp_path / "clips" / PREVIEW)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 3 * 5
    assert frames[0].shape[1] == 4 * frames[0].shape[0] * 32 // 24


def test_all_is_so_many_configurations_of_each_category() -> None:
    wanted = requested(replace(ALL, clips=2, orbit=20.0), PARAMS)
    assert wanted.simulation.splits.train.configurations == dict.fromkeys(CATEGORY_NAMES, 2)
    assert count_clips(wanted, "train") == 2 * len(CATEGORY_NAMES)
    for category in CATEGORY_NAMES:
        alone = requested(replace(ALL, category=category, clips=2, orbit=20.0), PARAMS)
        assert getattr(wanted.simulation, category) == getattr(alone.simulation, category)
        assert wanted.simulation.camera == alone.simulation.camera


def test_a_frame_rate_that_fits_one_solver_fits_all() -> None:
    for solver in (bullet, bullet_grains, bullet_joints, elastic, xpbd):
        assert solver.STEPS_PER_SECOND % SOLVER_RATE == 0


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery") / "clips"
    made(folder, ALL, preview=True)
    return folder


def test_clips_of_all_categories_lie_in_one_folder(gallery: Path) -> None:
    clips = list(read_split(gallery))
    assert [clip.meta.category for clip in clips] == list(CATEGORY_NAMES)
    assert all(clip.rgb.shape == (5, 64, 64, 3) and clip.meta.caption for clip in clips)
    summary = json.loads((gallery / SUMMARY_FILE).read_text())
    drawn = {name.split("/")[0] for name, counted in summary.items() if counted["configurations"]}
    assert drawn == set(CATEGORY_NAMES)


def test_visible_tracks_of_every_category_land_on_pixels_of_their_instance(gallery: Path) -> None:
    """All within a pixel, and three of four in their own: the others are at an object's edge."""
    for clip in read_split(gallery):
        t, point = np.nonzero(clip.tracks_visible)
        pixels, z = project(clip.tracks, clip.intrinsics, clip.extrinsics)
        column, row = np.rint(pixels[t, point]).astype(int).T
        around = np.pad(clip.segmentation, ((0, 0), (1, 1), (1, 1)), mode="edge")
        own = np.stack([around[t, row + i, column + j] for i in range(3) for j in range(3)]) == clip.track_ids[point]
        assert own.any(axis=0).mean() > 0.995, clip.meta.clip_id
        assert own[4].mean() > 0.75, clip.meta.clip_id
        assert np.median(np.abs(z[t, point] - clip.depth[t, row, column])[own[4]]) < 0.1, clip.meta.clip_id


@pytest.mark.slow
def test_two_other_processes_make_the_same_bytes_of_every_category(gallery: Path, tmp_path: Path) -> None:
    two = PARAMS.model_copy(update={"resources": PARAMS.resources.model_copy(update={"processes": 2})})
    simulate_to_folder(ALL, two, out=tmp_path / "clips", preview=False, stopped=never)
    whole = {path.name: path.read_bytes() for path in gallery.iterdir() if path.name != PREVIEW}
    assert sum(name.endswith(".tar") for name in whole) == 5
    assert {path.name: path.read_bytes() for path in (tmp_path / "clips").iterdir()} == whole


def test_a_clip_is_the_same_among_all_as_in_its_category_alone(gallery: Path) -> None:
    rope = requested(replace(ALL, category="rope"), PARAMS)
    (alone,) = configuration_clips(rope, split="train", category="rope", index=0)
    (among,) = (clip for clip in read_split(gallery) if clip.meta.category == "rope")
    assert among.description() == alone.description()


def test_the_preview_shows_every_category(gallery: Path) -> None:
    with av.open(str(gallery / PREVIEW)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5 * len(CATEGORY_NAMES)


def test_all_again_makes_nothing_new_and_a_category_does_not_go_over_it(gallery: Path) -> None:
    figures = simulate_to_folder(ALL, PARAMS, out=gallery, preview=False, stopped=never)
    assert figures == {"clips": len(CATEGORY_NAMES), "clips_made_now": 0}
    with pytest.raises(ParametersError, match="holds the clips of another request"):
        made(gallery, replace(ALL, category="rigid"))


@pytest.mark.slow
def test_parts_of_all_are_the_whole(gallery: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        part = Part(number=number, count=2)
        simulate_to_folder(ALL, PARAMS, out=tmp_path / "clips", preview=False, stopped=never, part=part)
    figures = simulate_to_folder(ALL, PARAMS, out=tmp_path / "clips", preview=False, stopped=never)
    assert figures["clips_made_now"] == 0
    whole = {path.name: path.read_bytes() for path in gallery.iterdir() if path.name != PREVIEW}
    assert {path.name: path.read_bytes() for path in (tmp_path / "clips").iterdir()} == whole


def test_the_same_request_again_makes_nothing_new(tmp_path: Path) -> None:
    first = made(tmp_path)
    assert simulate_to_folder(REQUESTED, PARAMS, out=tmp_path, preview=False, stopped=never)["clips_made_now"] == 0
    assert made(tmp_path) == first


def test_another_request_does_not_go_over_it(tmp_path: Path) -> None:
    first = made(tmp_path / "clips")
    for other in (replace(REQUESTED, seed=8), replace(REQUESTED, size="32x32"), replace(REQUESTED, clips=4)):
        with pytest.raises(ParametersError, match="holds the clips of another request"):
            made(tmp_path / "clips", other)
    assert {path.name: path.read_bytes() for path in (tmp_path / "clips").iterdir()} == first


def test_nothing_else_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(ParametersError, match="holds something already, expected a new or an empty folder"):
        made(tmp_path)
    with pytest.raises(ParametersError, match="holds something already"):
        made(tmp_path / "letter.txt")


def test_what_was_stopped_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    looks = iter([False, False, True])
    with pytest.raises(StoppedError):
        simulate_to_folder(REQUESTED, PARAMS, out=tmp_path / "cut", preview=False, stopped=lambda: next(looks))
    assert not (tmp_path / "cut").exists()
    with pytest.raises(ParametersError, match="holds the clips of another request"):
        made(tmp_path / "cut", replace(REQUESTED, seed=8))
    figures = simulate_to_folder(REQUESTED, PARAMS, out=tmp_path / "cut", preview=False, stopped=never)
    assert figures["clips_made_now"] == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "cut").iterdir()} == made(tmp_path / "whole")
    assert len(read_index(tmp_path / "cut")) == 3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"category": "magma"}, r"--category magma: unknown, expected one of .*rigid"),
        ({"category": "all"}, r"--family ramp: goes with one category, not with --category all"),
        ({"category": "magma", "family": None}, r"--category magma: unknown, expected one of .*thermodynamics, all"),
        (
            {"family": "spill"},
            r"--family spill: unknown in rigid, expected one of behind, collide, dominoes, drop, ramp, stack, topple",
        ),
        ({"size": "24"}, r"--size 24: expected HEIGHTxWIDTH in pixels, such as 256x256"),
        ({"size": "24x8"}, r"--size: width 8 is wrong, input should be greater than or equal to 16"),
        ({"frames": 5000}, r"--frames: frames 5000 is wrong"),
        ({"orbit": 190.0}, r"--orbit 190: expected -180 to 180 degrees"),
        ({"orbit": 20.0, "takes": 2}, r"--orbit goes with --takes 1"),
        ({"fps": 25}, r"--fps 25: does not divide the solvers' 960 steps a second"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ParametersError, match=said):
        made(tmp_path / "out", replace(REQUESTED, **wrong))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
