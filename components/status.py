"""One screen: what runs here and in pods, how stages ended last, the last whole runs, and who is champion."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import ExitCode, Phys4dError
from components.locks import lock_holder
from components.pipeline.execution import STATE, lock_path

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.graph import GraphStage

ENDS = {
    ExitCode.DONE: "done",
    ExitCode.GATE_REFUSED: "refused by a gate",
    ExitCode.STOPPED: "stopped, can go on",
    ExitCode.BAD_PARAMETERS: "bad parameters",
}
OURS = {"app.kubernetes.io/part-of": "phys4d", "app.kubernetes.io/name": "stage"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the screen, in one of its parts."""

    part: str
    name: str
    text: str


def lines(root: Path, params: "Params", graph: "dict[str, GraphStage]") -> Iterator[Line]:
    """All of it; what cannot be reached says so in its place."""
    yield from _here(root, graph)
    yield from _pods(params)
    yield from _tracked(root)


def _here(root: Path, graph: "dict[str, GraphStage]") -> Iterator[Line]:
    """Stages that run, and those whose last end was another than done."""
    for name in graph:
        holder = lock_holder(lock_path(root, name))
        if holder is not None:
            yield Line(part="runs here", name=name, text=f"process {holder}")
            continue
        path = root / STATE / "run" / f"{name}.json"
        if path.is_file():
            record = json.loads(path.read_text())
            code = ExitCode(record["code"])
            if code is not ExitCode.DONE:
                yield Line(part="ended badly", name=name, text=f"{ENDS.get(code, 'failed')}: {record['cause']}")


def _pods(params: "Params") -> Iterator[Line]:
    """Jobs of the cluster, where stages run in pods."""
    if "kubernetes" not in params.cluster.executor.values():
        return
    from components.cluster.client import ClusterClient
    from components.cluster.standing import standing_of

    try:
        client = ClusterClient(params.cluster.namespace, params.cluster.context)
        for job in client.jobs(OURS):
            stage = job["metadata"]["annotations"]["phys4d/stage"]
            standing = standing_of(job, client.pods(job["metadata"]["name"]), stage=stage)
            attempt = job["metadata"]["labels"]["phys4d/attempt"]
            yield Line(part="in pods", name=stage, text=f"attempt {attempt}: {standing.phase.value}, {standing.why}")
    except Phys4dError as error:
        yield Line(part="in pods", name="cluster", text=str(error))


def _tracked(root: Path) -> Iterator[Line]:
    from components.registry.overview import last_runs, models

    try:
        for run in last_runs(root):
            verdicts = "; ".join(": ".join(text.split(": ")[:2]) for text in run.verdicts.values())
            text = f"{run.profile}, {run.began:%Y-%m-%d %H:%M} UTC, {run.status.lower()}"
            yield Line(part="last runs", name=run.pipeline, text=f"{text}{f': {verdicts}' if verdicts else ''}")
        for model in models(root):
            aliases = ", ".join(f"{alias} is version {number}" for alias, number in sorted(model.aliases.items()))
            yield Line(part="models", name=model.name, text=aliases or "no champion yet")
    except Phys4dError as error:
        yield Line(part="last runs", name="mlflow", text=str(error))


def screen(found: list[Line]) -> str:
    """The lines below the names of their parts."""
    if not found:
        return "nothing runs, nothing was run: phys4d run"
    width = max(len(one.name) for one in found)
    texts, part = [], ""
    for one in found:
        if one.part != part:
            texts += ["", one.part] if part else [one.part]
            part = one.part
        texts.append(f"  {one.name:<{width}}  {one.text}")
    return "\n".join(texts)
