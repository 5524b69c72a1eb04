"""Where a stage runs: a process here, or a pod, as params.yaml says."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from components.errors import ParametersError
from components.parameters.loader import load_params
from components.params import Params
from components.pipeline.graph import GraphStage, find_stage, load_graph
from components.tracked_run import PIPELINE
from flows.stage import run_stage


def in_pod(stage: GraphStage, params: Params) -> bool:
    """Whether a stage runs in a pod."""
    if not params.cluster.executor:  # what a cluster needs takes a second to load
        return False
    from components.cluster.requests import runs_in_pod

    return runs_in_pod(stage, params.cluster)


def bring(name: str, *, force: bool, stopping: threading.Event, say: Callable[[str], None]) -> None:
    """Bring a stage up to date where it runs; raises what it ended with."""
    root = Path.cwd()
    params, graph = load_params(), load_graph(root)
    stage = find_stage(graph, name)
    if not in_pod(stage, params):
        if params.storage.bucket:
            from components.cluster.inputs import bring_inputs

            bring_inputs(stage, graph, params, root, say=say)
        run_stage(name, force=force, stopping=stopping, say=say)
        return
    if force:
        raise ParametersError(
            f"force: {name} runs in a pod, which takes from DVC what it has already: run it here to have it made again "
            f"(cluster.executor: {{{name}: local}})"
        )
    from components.cluster.elsewhere import run_elsewhere

    pipeline = os.environ.get(PIPELINE, "")
    run_elsewhere(stage, graph, params, root, pipeline=pipeline, stopping=stopping, say=say)


def room_of(stage: GraphStage, params: Params, *, counted: bool) -> int:
    """How many cores of this machine a stage takes while it runs, none in a pod; 1 of any where stages are `counted`.

    Stages of several backbones run side by side, each on its share.
    """
    if in_pod(stage, params):
        return 0
    if counted:
        return 1
    resources = params.resources
    side_by_side = resources.trainings if stage.name.partition("@")[2] in params.pipeline.backbones else 1
    return stage.cores or max(1, resources.processes * resources.threads // side_by_side)
