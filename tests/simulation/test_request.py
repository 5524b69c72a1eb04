"""Clips of one category outside the graph: whole or not at all, never over something else."""

from dataclasses import replace
from pathlib import Path

import av
import pytest

from components.errors import ParametersError, StoppedError
from components.index import SUMMARY_FILE, read_index, read_split
from components.parameters.loader import load_params
from components.simulation.clips import configuration_clips
from components.simulation.request import PREVIEW, REQUEST, Request, requested, simulate_to_folder

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
        ({"family": "spill"}, r"--family spill: unknown in rigid, expected one of drop, ramp, topple"),
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
