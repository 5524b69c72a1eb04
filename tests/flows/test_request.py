"""What a run is asked for is checked before anything runs: a mistake is named by field, value and expectation."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from components.errors import ParametersError
from components.parameters.loader import load_params
from components.pipeline.graph import load_graph
from flows.request import Request, read_request


def read(**values: object) -> Request:
    return read_request(values, params=load_params(), graph=load_graph(Path()))


def test_a_good_request_is_what_it_says() -> None:
    backbone = load_params().pipeline.backbones[0]
    request = read(profile="laptop", backbones=[backbone], stages=["evaluate", f"stage1@{backbone}"], dry_run=True)
    assert request == Request(
        profile="laptop", backbones=(backbone,), stages=("evaluate", f"stage1@{backbone}"), dry_run=True
    )


def test_nothing_asked_for_is_the_whole_pipeline_of_whatever_profile() -> None:
    assert read() == Request()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"profile": "gpu"}, "profile: 'gpu' is wrong, expected 'laptop', .* phys4d profile use does"),
        ({"profile": 3}, "profile: 3 is wrong, it should be a valid string"),
        ({"backbones": ["wan23"]}, r"backbones\.0: 'wan23' is wrong, expected one of wan22, .*"),
        ({"backbones": "wan22"}, "backbones: 'wan22' is wrong, it should be a valid array"),
        ({"stages": ["report", "stage4"]}, r"stages\.1: no stage 'stage4' in dvc.yaml, did you mean stage.*"),
        ({"dry_run": "maybe"}, "dry_run: 'maybe' is wrong, it should be a valid boolean"),
        ({"parallel": 0}, "parallel: 0 is wrong, it should be greater than 0"),
        ({"retries": -1}, "retries: -1 is wrong, it should be greater than or equal to 0"),
        ({"stage": "report"}, "stage: unknown, expected one of profile, backbones, stages, .*"),
    ],
)
def test_a_mistake_is_named(values: Mapping[str, object], message: str) -> None:
    with pytest.raises(ParametersError) as caught:
        read(**values)
    assert re.fullmatch(message, str(caught.value))
