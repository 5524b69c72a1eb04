"""A stage sees the parameters DVC tracks for it, and no other."""

import pickle

import pytest

from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.parameters.visible import visible
from components.params import Params


@pytest.fixture
def params() -> Params:
    return parse_params(profile_values("laptop"), source="laptop")


def test_tracked_values_are_seen(params: Params) -> None:
    seen = visible(params, ["seed", "video", "simulation.splits.train", "simulation.camera"])
    assert seen.seed == params.seed
    assert seen.video.frames == params.video.frames
    assert seen.simulation.splits.train == params.simulation.splits.train
    assert seen.simulation.camera == params.simulation.camera


@pytest.mark.parametrize("path", ["stage3", "simulation.rigid", "simulation.splits.test"])
def test_others_cannot_be_read(params: Params, path: str) -> None:
    seen: object = visible(params, ["seed", "simulation.splits.train", "simulation.camera"])
    with pytest.raises(AttributeError):
        for name in path.split("."):
            seen = getattr(seen, name)


def test_what_is_seen_goes_to_other_processes(params: Params) -> None:
    seen = visible(params, ["video", "simulation.camera"])
    again = pickle.loads(pickle.dumps(seen))  # noqa: S301 -- our own bytes, as multiprocessing sends them
    assert again.simulation.camera == params.simulation.camera
