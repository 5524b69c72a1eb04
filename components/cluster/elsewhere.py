"""A stage in a pod as its caller has it done: inputs go, the Job runs, the result comes back."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.cluster.client import ClusterClient, JobsApi
from components.cluster.dvc import dvc, use_remote
from components.cluster.entry import disagreements
from components.cluster.executor import LOOK_EVERY, Executor
from components.cluster.requests import check_names, request_of
from components.cluster.restore import restore_data, restore_entry
from components.cluster.run_folder import RunFolder
from components.errors import StoppedError
from components.pipeline.graph import GraphStage
from components.pipeline.order import sources
from components.storage.store import storage_of

if TYPE_CHECKING:
    from components.params import Params


def run_elsewhere(
    stage: GraphStage,
    graph: Mapping[str, GraphStage],
    params: "Params",
    root: Path,
    *,
    pipeline: str,
    stopping: threading.Event,
    say: Callable[[str], None],
    api: JobsApi | None = None,
    look_every: float = LOOK_EVERY,
) -> None:
    """Bring a stage up to date by a pod; raises what it ended with. A result that is there already is taken.

    api: of the cluster; None for the one that params.yaml names.
    """
    check_names(graph, params.cluster)
    request = request_of(stage, graph, params, root, pipeline=pipeline)
    folder = RunFolder(storage=storage_of(params.storage), run=request.run)
    use_remote(root, folder.storage)
    producers = sorted({maker.name for maker in sources(graph, stage).values()})
    if producers:
        say(f"sends what it reads: {', '.join(producers)}")
        dvc(root, "push", *producers)
    folder.publish(root)
    if stopping.is_set():
        raise StoppedError(f"{stage.name}: not begun; the same command continues")
    published = folder.entry(stage.name)
    try:
        if published is None or disagreements(published, root, graph):
            jobs = api or ClusterClient(params.cluster.namespace, params.cluster.context)
            Executor(api=jobs, stopping=stopping, say=say, look_every=look_every).run(request)
    finally:
        folder.figures(stage.name, root).collect()
    if params.cluster.bring == "data":
        say("fetches what it made")
        restore_data(root, folder, stage.name)
    else:
        restore_entry(root, folder, stage.name)
