"""What a run would do: what is stale and what is behind it, in order, each with where it runs."""

from pathlib import Path
from typing import Any

import pytest

from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.params import Params
from components.pipeline.graph import GraphStage, load_graph
from components.planning.places import Place, page, places
from tests.dotted import set_fields


def params(**changes: Any) -> Params:  # noqa: ANN401 -- values of params.yaml
    return parse_params(set_fields(profile_values("laptop"), **changes), source="params.yaml")


def stage(name: str, *inputs: str) -> GraphStage:
    return GraphStage(name=name, template=name, inputs=inputs, code=(), params=(), outs=(f"out/{name}",))


CHAIN = {one.name: one for one in (stage("c", "out/b/inner"), stage("a"), stage("b", "out/a"), stage("d", "raw"))}


def test_what_is_behind_a_stale_stage_may_run_too() -> None:
    found = places(CHAIN, params(), {"b": "changed deps: x modified"})
    assert [(one.stage, one.why) for one in found] == [
        ("c", "if what it reads changes: after b"),
        ("b", "changed deps: x modified"),
    ]


def test_where_all_is_up_to_date_nothing_runs() -> None:
    assert places(CHAIN, params(), {}) == []
    assert page([], stages=4) == "4 of 4 stages are up to date"


def test_a_stage_runs_where_the_cluster_section_says() -> None:
    size = profile_values("laptop")["cluster"]["pods"]["default"]
    changes = {
        "cluster__executor": {"stage2": "kubernetes"},
        "cluster__image": "registry.example/phys4d:1.0",
        "storage__bucket": "bucket",
        "cluster__pods": {"default": {**size, "gpus": 8, "nodes": 2}},
    }
    graph = load_graph(Path())
    found = {one.stage: one.where for one in places(graph, params(**changes), {"stage1@wan22": "new"})}
    assert found["stage1@wan22"] == "here"
    assert found["stage2@wan22"] == "2 pods of 8 GPUs, 8 cores, 64Gi"


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_counts_what_is_up_to_date(count: int) -> None:
    found = [Place(stage=f"stage{number}", why="forced", where="here") for number in range(count)]
    first, *others = page(found, stages=10).splitlines()
    assert first == f"{10 - count} of 10 stages are up to date"
    assert others == [f"stage{number}  here  forced" for number in range(count)]
