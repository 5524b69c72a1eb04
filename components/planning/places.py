"""What a run would do: which stages are out of date, why, and where each would run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.pipeline.graph import GraphStage
from components.pipeline.order import reasons, upstream

if TYPE_CHECKING:
    from components.params import Params

HERE = "here"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A stage that would run: why, and where."""

    stage: str
    why: str
    where: str


def places(graph: Mapping[str, GraphStage], params: "Params", stale: Mapping[str, str]) -> list[Place]:
    """The stages that DVC finds out of date (reasons by name), and those behind them, in the graph's order."""
    why = reasons(upstream(graph), stale)
    return [Place(stage=name, why=why[name], where=_where(graph[name], params)) for name in graph if name in why]


def page(found: list[Place], *, stages: int) -> str:
    """A line for each, and how many are up to date."""
    good = f"{stages - len(found)} of {stages} stages are up to date"
    if not found:
        return good
    names, where = (
        max(len(text) for text in texts) for texts in zip(*((one.stage, one.where) for one in found), strict=True)
    )
    return "\n".join([good, *(f"{one.stage:<{names}}  {one.where:<{where}}  {one.why}" for one in found)])


def _where(stage: GraphStage, params: "Params") -> str:
    if not params.cluster.executor:
        return HERE
    from components.cluster.requests import runs_in_pod, size_of

    if not runs_in_pod(stage, params.cluster):
        return HERE
    size = size_of(stage, params.cluster)
    nodes = f"{size.nodes} pods" if size.nodes > 1 else "a pod"
    return f"{nodes} of {size.gpus} GPUs, {size.cpu} cores, {size.memory}"
