"""What waits for what in the graph, as the paths of its stages say."""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from components.pipeline.graph import GraphStage
from components.recorded import made_hashes


def meet(path: str, other: str) -> bool:
    """Whether one of two paths is the other, or lies in it."""
    return Path(path).is_relative_to(other) or Path(other).is_relative_to(path)


def sources(graph: Mapping[str, GraphStage], stage: GraphStage) -> dict[str, GraphStage]:
    """The outs that a stage reads, or reads from, each with the stage that makes it."""
    makers = {out: other for other in graph.values() for out in other.outs}
    return {out: maker for path in stage.inputs for out, maker in makers.items() if meet(path, out)}


def read_outs(root: Path, graph: Mapping[str, GraphStage], stage: GraphStage) -> dict[str, str]:
    """Hashes, as dvc.lock has them, of the outs that a stage reads; an out that was never made is left out."""
    return made_hashes(root, {out: maker.name for out, maker in sources(graph, stage).items()})


def upstream(graph: Mapping[str, GraphStage]) -> dict[str, set[str]]:
    """The stages whose outs each stage reads."""
    return {name: {maker.name for maker in sources(graph, stage).values()} for name, stage in graph.items()}


def with_upstream(before: Mapping[str, Collection[str]], targets: Iterable[str]) -> set[str]:
    """These stages and all they depend on; before: the stages that each one waits for."""
    found: set[str] = set()
    waiting = list(targets)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += before[name]
    return found


def followers(before: Mapping[str, Collection[str]]) -> dict[str, int]:
    """How many stages follow each one on the longest way to an end; before: the stages that each one waits for."""
    after: dict[str, set[str]] = {name: set() for name in before}
    for name, others in before.items():
        for other in others:
            after[other].add(name)

    @cache
    def longest(name: str) -> int:
        return max((1 + longest(other) for other in after[name]), default=0)

    return {name: longest(name) for name in before}


def reasons(before: Mapping[str, Collection[str]], stale: Mapping[str, str]) -> dict[str, str]:
    """Why each stage would run, in an order they could run in: those out of date (why, by name), and those behind them.

    A stage behind others runs only if one of them makes something new.
    """
    found: dict[str, str] = {}
    ordered = TopologicalSorter({name: sorted(others) for name, others in before.items()})
    for name in ordered.static_order():
        behind = sorted(found.keys() & set(before[name]))
        if name in stale:
            found[name] = stale[name]
        elif behind:
            found[name] = f"if what it reads changes: after {', '.join(behind)}"
    return found
