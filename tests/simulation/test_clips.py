"""A configuration's clips: what their metadata says, and what ends in an error."""

from pathlib import Path

import numpy as np
import pytest

from components.clip import Clip
from components.errors import ParametersError
from components.parameters.loader import load_params
from components.params import Params
from components.simulation.clips import configuration_clips
from components.simulation.configuration import configuration_hash
from components.simulation.guard import Cause, RejectedError, guard
from components.simulation.scene import Motion, Scene

LAPTOP = load_params(Path(__file__).parents[2] / "profiles" / "laptop.yaml")


def small(*, speed: float = 0.0, max_attempts: int = 8) -> Params:
    """Two views and two takes of a few small frames; `speed` in m/s is that of every object at frame 0."""
    simulation = LAPTOP.simulation
    real = simulation.physics.real.model_copy(update={"initial_speed": (speed, speed)})
    train = simulation.splits.train.model_copy(update={"views": 2, "takes": 2})
    changes = {
        "physics": simulation.physics.model_copy(update={"real": real}),
        "splits": simulation.splits.model_copy(update={"train": train}),
        "samples_per_pixel": 1,
        "points_per_object": 8,
        "max_attempts": max_attempts,
    }
    video = LAPTOP.video.model_copy(update={"frames": 5, "height": 16, "width": 16})
    return LAPTOP.model_copy(update={"simulation": simulation.model_copy(update=changes), "video": video})


def clips_of(params: Params) -> dict[tuple[int, int], Clip]:
    """The clips of the first configuration by view and take."""
    clips = configuration_clips(params, split="train", category="rigid", index=0)
    return {(clip.meta.view, clip.meta.take): clip for clip in clips}


@pytest.fixture(scope="module")
def clips() -> dict[tuple[int, int], Clip]:
    return clips_of(small(speed=1.0))


def test_metadata_holds_the_initial_state_of_its_own_take(clips: dict[tuple[int, int], Clip]) -> None:
    for clip in clips.values():
        state = clip.meta.parameters["initial_state"]
        poses = np.concatenate([state["positions"], state["orientations"]], axis=1)
        np.testing.assert_allclose(poses, clip.poses[0], atol=1e-6)
    first, second = (clips[0, take].meta.parameters["initial_state"] for take in (0, 1))
    assert first != second
    assert clips[1, 0].meta.parameters["initial_state"] == first


def test_the_configuration_is_that_of_all_takes_and_views(clips: dict[tuple[int, int], Clip]) -> None:
    assert len(clips) == 4
    assert len({clip.meta.configuration for clip in clips.values()}) == 1
    for clip in clips.values():
        drawn = {name: value for name, value in clip.meta.parameters.items() if name != "initial_state"}
        assert configuration_hash(drawn) == clip.meta.configuration


def test_both_takes_of_a_view_have_one_caption(clips: dict[tuple[int, int], Clip]) -> None:
    for view in (0, 1):
        first, second = clips[view, 0].meta, clips[view, 1].meta
        assert (first.caption, first.caption_initial) == (second.caption, second.caption_initial)


def test_metadata_names_the_library_of_the_solver_and_its_version(clips: dict[tuple[int, int], Clip]) -> None:
    for clip in clips.values():
        assert clip.meta.solver == "pybullet"
        assert {clip.meta.solver, "warp-lang", "numpy"} == set(clip.meta.versions)


def test_draws_that_are_all_rejected_are_wrong_parameters() -> None:
    with pytest.raises(ParametersError, match=r"none of 2 draws passed the guard, the last: .*simulation.rigid"):
        clips_of(small(speed=150.0, max_attempts=2))


def test_a_rejected_draw_is_named_in_the_clip_that_follows_it(
    clips: dict[tuple[int, int], Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Scene] = []

    def guard_once(scene: Scene, motion: Motion) -> None:
        calls.append(scene)
        if len(calls) == 1:
            raise RejectedError(Cause.JUMP, "as the test wants it")
        guard(scene, motion)

    monkeypatch.setattr("components.simulation.clips.guard", guard_once)
    meta = clips_of(small(speed=1.0))[0, 0].meta
    assert (meta.attempts, meta.rejections) == (2, f"{calls[0].family}: jump at frame 0")
    assert meta.configuration != clips[0, 0].meta.configuration
    assert (clips[0, 0].meta.attempts, clips[0, 0].meta.rejections) == (1, "")
