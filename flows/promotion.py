"""The verdict on what a run made: registered and perhaps promoted, but for the smoke profile."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from components.evaluation.verdict import decide
from components.params import Params
from components.pipeline.graph import GraphStage
from components.registry.measured import read_metrics
from components.registry.promotion import promote
from components.registry.versions import UNREGISTERED

EVALUATION = "evaluate@"


def backbones_to_judge(graph: Mapping[str, GraphStage], stages: Sequence[str]) -> list[str]:
    """The backbones that a run of the whole graph evaluates; none when only some stages were asked for."""
    return [] if stages else [name.removeprefix(EVALUATION) for name in graph if name.startswith(EVALUATION)]


def judge(root: Path, backbone: str, params: Params) -> str:
    """Register and promote a backbone's model, or not: the verdict and its consequence in one line."""
    if params.profile == UNREGISTERED:
        text = decide(read_metrics(root, backbone), params.promotion).text
        return f"{backbone}: {text} (profile {UNREGISTERED}: nothing is registered)"
    return promote(root, params, backbone=backbone).text
