"""What a run does of what it was asked for: which stages, and for which backbones the promotion is decided."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import ParametersError
from components.params import Params
from components.pipeline.graph import GraphStage
from components.pipeline.order import reasons, upstream, with_upstream
from flows.plan import Plan
from flows.request import Request

EVALUATION = "evaluate@"
REPORT = "report"  # the stage


@dataclass(frozen=True, kw_only=True)
class Work:
    """The stages that may run, those of them that are wanted, and the backbones whose promotion is decided then.

    graph: a part of DVC's: what is not in it stays as it is, also where it is out of date.
    """

    graph: Mapping[str, GraphStage]
    targets: tuple[str, ...]
    judged: tuple[str, ...]

    def plan(
        self, root: Path, stale: Collection[str], *, force: bool, takes: Callable[[str], int] = lambda _: 1
    ) -> Plan:
        """The order of what is to be done; stale: what DVC finds out of date."""
        known = set(stale) & set(self.graph)
        return Plan(
            root, self.graph, targets=self.targets, stale=known, forced=self.targets if force else (), takes=takes
        )


WorkOf = Callable[[Request, Mapping[str, GraphStage], Params], Work]


def whole(request: Request, graph: Mapping[str, GraphStage], params: Params) -> Work:
    """The stages that were asked for, with what they depend on; the promotion, when none was named."""
    left_out = set(params.pipeline.backbones) - set(request.backbones) if request.backbones else set()
    targets = chosen(graph, request.stages, without=left_out)
    judged = [] if request.stages else _evaluated(graph, without=left_out)
    return Work(graph=graph, targets=tuple(targets), judged=tuple(judged))


def evaluation(request: Request, graph: Mapping[str, GraphStage], params: Params) -> Work:
    """The measurement of the models that are there, and the report of all; nothing is trained, nothing is promoted."""
    backbones = request.backbones or params.pipeline.backbones
    names = [f"{EVALUATION}{backbone}" for backbone in backbones if f"{EVALUATION}{backbone}" in graph]
    names += [REPORT] if not request.backbones and REPORT in graph else []
    return Work(graph={name: graph[name] for name in names}, targets=tuple(names), judged=())


def promotion(request: Request, graph: Mapping[str, GraphStage], params: Params) -> Work:
    """No stage: the verdict on the models that were measured, and what follows from it."""
    left_out = set(params.pipeline.backbones) - set(request.backbones) if request.backbones else set()
    return Work(graph={}, targets=(), judged=tuple(_evaluated(graph, without=left_out)))


def chosen(graph: Mapping[str, GraphStage], names: Sequence[str], *, without: Collection[str] = ()) -> list[str]:
    """The stages of these names that need no stage of a backbone `without`; a template's name stands for all of its.

    No names: all. ParametersError names a stage that was asked for by name and is left out, or when nothing is left.
    """
    before = upstream(graph)

    def is_left_out(name: str) -> bool:
        return any(other.partition("@")[2] in without for other in with_upstream(before, [name]))

    for name in names:
        if name in graph and is_left_out(name):
            raise ParametersError(
                f"stages: {name!r} needs {', '.join(sorted(without))}, which backbones leaves out: name them there too"
            )
    found = [stage.name for name in names or graph for stage in graph.values() if name in (stage.name, stage.template)]
    kept = [name for name in dict.fromkeys(found) if not is_left_out(name)]
    if not kept:
        raise ParametersError(f"stages: {', '.join(names)}: none is left without {', '.join(sorted(without))}")
    return kept


def explained(work: Work, stale: Mapping[str, str], *, force: bool) -> dict[str, str]:
    """Why each stage would run, in order; those that only run if one before them makes something new are among them."""
    before = upstream(work.graph)
    wanted = with_upstream(before, work.targets)
    forced = dict.fromkeys(work.targets, "forced") if force else {}
    return reasons({name: before[name] for name in work.graph if name in wanted}, forced | dict(stale))


def _evaluated(graph: Mapping[str, GraphStage], *, without: Collection[str]) -> list[str]:
    found = [name.removeprefix(EVALUATION) for name in graph if name.startswith(EVALUATION)]
    return [backbone for backbone in found if backbone not in without]
