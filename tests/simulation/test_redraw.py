"""Draws that a camera sees nothing of are drawn again, counted, and too many of them refused."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.errors import ExitCode, GateRefusedError
from components.geometry import project
from components.index import SUMMARY_FILE, read_split
from components.params import Params
from components.quality import check_simulation, refuse_if_failed
from components.simulation.configuration import build_scene, configuration_hash
from components.simulation.generate import generate_split
from components.simulation.guard import MIN_MOTION
from components.simulation.rotations import vec3
from components.simulation.scene import Scene, Shape
from tests.simulation.bodies import thing
from tests.simulation.families.particle_chain import short
from tests.simulation.test_parts import Display
from tests.simulation.test_request import PARAMS, never

SPLIT = "train"
COUNT = 6


def slow() -> Params:
    """Objects in a tenth of gravity for a sixteenth of a second: it depends on their first speed whether they move."""
    simulation = PARAMS.simulation
    train = simulation.splits.train.model_copy(update={"configurations": {"rigid": COUNT}, "views": 2, "takes": 2})
    real = simulation.physics.real.model_copy(update={"gravity": (0.1, 0.1), "initial_speed": (0.0, 2.0)})
    changes = {
        "splits": simulation.splits.model_copy(update={SPLIT: train}),
        "physics": simulation.physics.model_copy(update={"real": real}),
        "rigid": simulation.rigid.model_copy(update={"families": {"drop": 1.0}, "objects": (1, 1)}),
        "clips_per_shard": 8,
    }
    video = PARAMS.video.model_copy(update={"frames": 3, "height": 16, "width": 16, "fps": 32})
    return PARAMS.model_copy(update={"simulation": simulation.model_copy(update=changes), "video": video})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, float]]:
    folder = tmp_path_factory.mktemp("slow")
    return folder / "split", generate_split(slow(), split=SPLIT, folder=folder, stopped=never, display=Display())


def test_draws_without_visible_motion_are_in_the_summary_by_their_cause(
    made: tuple[Path, Mapping[str, float]],
) -> None:
    folder, figures = made
    (family,) = json.loads((folder / SUMMARY_FILE).read_text()).values()
    assert family == {"configurations": COUNT, "rejects": {"no visible motion": figures["rejected_draws"]}}
    assert figures["rejected_draws"] > 0
    assert figures["clips"] == COUNT * 4


def test_all_views_and_takes_are_of_the_draw_that_followed(made: tuple[Path, Mapping[str, float]]) -> None:
    for number, clip in enumerate(read_split(made[0])):
        scene = build_scene(
            slow(), split=SPLIT, category="rigid", index=number // 4, view=0, take=0, attempt=clip.meta.attempts - 1
        )
        assert clip.meta.configuration == configuration_hash(scene.parameters)


def test_what_is_left_moves_visibly(made: tuple[Path, Mapping[str, float]]) -> None:
    for clip in read_split(made[0]):
        pixels, _ = project(clip.tracks, clip.intrinsics, clip.extrinsics)
        farthest = np.linalg.norm(pixels - pixels[0], axis=-1).max()
        assert farthest > 0.9 * MIN_MOTION  # the points that are tracked are others than the guard follows


def test_a_fifth_of_rejected_draws_is_too_many(made: tuple[Path, Mapping[str, float]]) -> None:
    params = slow()
    folder, figures = made
    assert figures["rejected_draws"] > 0.2 * (COUNT + figures["rejected_draws"])
    checks = check_simulation(
        folder,
        split=SPLIT,
        quality=params.quality.model_copy(update={"max_rejected_share": 0.2}),
        video=params.video,
        section=params.simulation.splits.train,
    )
    rejects = [check for check in checks if "rejected" in check.expectation]
    with pytest.raises(GateRefusedError, match=r"drop at most 20% are rejected.*no visible motion") as refused:
        refuse_if_failed(rejects, gate="gate", report=Path("report.json"))
    assert refused.value.code is ExitCode.GATE_REFUSED


def behind_a_ball(scene: Scene) -> Scene:
    """The same with a ball close to the camera that fills the picture."""
    extrinsics = scene.camera.extrinsics[0]
    before = extrinsics[:3, :3].T @ (np.array([0.0, 0.0, 1.0]) - extrinsics[:3, 3])
    ball = thing(Shape.SPHERE, (0.7, 0.0, 0.0), vec3(before), name="ball before the camera", mass=0.0)
    return replace(scene, bodies=(*scene.bodies, ball))


def first_hidden(params: Params, *, split: str, category: str, index: int, view: int, take: int, attempt: int) -> Scene:
    """As `build_scene`, but for the first attempt."""
    scene = build_scene(params, split=split, category=category, index=index, view=view, take=take, attempt=attempt)
    return behind_a_ball(scene) if attempt == 0 else scene


@pytest.mark.parametrize(("category", "family"), [("rigid", "drop"), ("fluid", "dam_break")])
def test_a_draw_of_which_all_is_hidden_is_counted_as_never_visible(
    category: str, family: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("components.simulation.clips.build_scene", first_hidden)
    params = short(category, family, frames=3)
    train = params.simulation.splits.train.model_copy(update={"configurations": {category: 1}, "takes": 1})
    splits = params.simulation.splits.model_copy(update={SPLIT: train})
    params = params.model_copy(update={"simulation": params.simulation.model_copy(update={"splits": splits})})
    figures = generate_split(params, split=SPLIT, folder=tmp_path, stopped=never, display=Display())
    counted = {f"{category}/{family}": {"configurations": 1, "rejects": {"never visible": 1}}}
    assert json.loads((tmp_path / "split" / SUMMARY_FILE).read_text()) == counted
    assert figures["rejected_draws"] == 1
    for clip in read_split(tmp_path / "split"):
        assert (clip.meta.attempts, clip.meta.rejections) == (2, f"{family}: never visible")
        assert set(np.unique(clip.segmentation)) >= {one.id for one in clip.objects}
