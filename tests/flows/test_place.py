"""How much of this machine a stage takes while it runs."""

from pathlib import Path

import pytest

from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.params import Params
from components.pipeline.graph import load_graph
from flows.place import room_of
from tests.dotted import set_fields


def params_with(**changes: object) -> Params:
    values = profile_values("laptop")
    set_fields(values, **changes)
    return parse_params(values, source="a test")


@pytest.mark.parametrize(
    ("stage", "processes", "trainings", "room"),
    [
        ("simulate@train", 2, 2, 2),
        ("stage2@wan22", 2, 2, 1),
        ("stage2@wan22", 2, 1, 2),
        ("evaluate@open_sora", 8, 3, 2),
        ("stage2@wan22", 1, 2, 1),
        ("validate_pseudo_labels", 2, 2, 1),  # dvc.yaml says how many cores it keeps busy
    ],
)
def test_stages_of_backbones_take_their_share(stage: str, processes: int, trainings: int, room: int) -> None:
    params = params_with(resources__processes=processes, resources__trainings=trainings)
    assert room_of(load_graph(Path())[stage], params, counted=False) == room


def test_where_stages_are_counted_each_is_one_and_one_in_a_pod_none() -> None:
    graph = load_graph(Path())
    assert room_of(graph["simulate@train"], params_with(), counted=True) == 1
    elsewhere = params_with(cluster__executor={"stage2": "kubernetes"}, storage__bucket="data")
    assert room_of(graph["stage2@wan22"], elsewhere, counted=True) == 0
