"""Which stages a run may start, for which backbones the promotion is decided, and why each stage would run."""

from pathlib import Path

import pytest

from components.errors import ParametersError
from components.parameters.loader import load_params
from components.params import Params
from components.pipeline.graph import GraphStage
from flows.request import Request
from flows.work import chosen, evaluation, explained, promotion, whole

READS = {
    "simulate@train": (),
    "stage3@wan22": ("simulate@train",),
    "stage3@cogvideox": ("simulate@train",),
    "evaluate@wan22": ("stage3@wan22",),
    "evaluate@cogvideox": ("stage3@cogvideox",),
    "report": ("evaluate@wan22", "evaluate@cogvideox"),
}
GRAPH = {
    name: GraphStage(
        name=name,
        template=name.partition("@")[0],
        inputs=tuple(f"out/{other}" for other in reads),
        code=(),
        params=(),
        outs=(f"out/{name}",),
    )
    for name, reads in READS.items()
}
WAN = Request(backbones=("wan22",))
OF_WAN = ["simulate@train", "stage3@wan22", "evaluate@wan22"]


@pytest.fixture
def params() -> Params:
    values = load_params()
    return values.model_copy(
        update={"pipeline": values.pipeline.model_copy(update={"backbones": ("wan22", "cogvideox")})}
    )


def test_a_templates_name_stands_for_its_stages() -> None:
    assert chosen(GRAPH, ["stage3", "report"]) == ["stage3@wan22", "stage3@cogvideox", "report"]
    assert chosen(GRAPH, []) == list(GRAPH)


def test_a_whole_run_decides_on_every_backbone_and_one_of_some_stages_on_none(params: Params) -> None:
    assert whole(Request(), GRAPH, params).judged == ("wan22", "cogvideox")
    assert whole(Request(stages=("stage3",)), GRAPH, params).judged == ()


def test_a_run_of_one_backbone_leaves_out_the_others_and_what_needs_them(params: Params) -> None:
    work = whole(WAN, GRAPH, params)
    assert list(work.targets) == OF_WAN
    assert work.judged == ("wan22",)
    assert list(whole(Request(backbones=("wan22",), stages=("evaluate",)), GRAPH, params).targets) == ["evaluate@wan22"]


@pytest.mark.parametrize("stage", ["report", "stage3@cogvideox"])
def test_a_stage_by_name_that_needs_a_left_out_backbone_is_refused(params: Params, stage: str) -> None:
    with pytest.raises(ParametersError, match=f"stages: '{stage}' needs cogvideox, which backbones leaves out"):
        whole(Request(backbones=("wan22",), stages=(stage,)), GRAPH, params)


def test_an_evaluation_starts_nothing_that_trains_though_it_is_out_of_date(params: Params, tmp_path: Path) -> None:
    work = evaluation(Request(), GRAPH, params)
    plan = work.plan(tmp_path, set(GRAPH), force=False)
    assert plan.stale == ["evaluate@wan22", "evaluate@cogvideox", "report"]
    assert work.judged == ()
    assert list(evaluation(WAN, GRAPH, params).targets) == ["evaluate@wan22"]


def test_a_promotion_runs_no_stage(params: Params, tmp_path: Path) -> None:
    work = promotion(WAN, GRAPH, params)
    assert work.plan(tmp_path, set(GRAPH), force=True).left == []
    assert work.judged == ("wan22",)


def test_the_plan_says_why_and_what_may_follow(params: Params) -> None:
    stale = {"stage3@wan22": "changed deps: params.yaml", "report": "changed command"}
    assert explained(whole(Request(), GRAPH, params), stale, force=False) == {
        "stage3@wan22": "changed deps: params.yaml",
        "evaluate@wan22": "if what it reads changes: after stage3@wan22",
        "report": "changed command",
    }
    assert explained(evaluation(WAN, GRAPH, params), {}, force=True) == {"evaluate@wan22": "forced"}
