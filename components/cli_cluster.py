"""The commands of pods; people do not need them, so --help does not list them."""

from pathlib import Path
from typing import Annotated

import typer

from components.cli_common import enter_project


def pod(
    stage: Annotated[str, typer.Argument(help="Stage as `dvc stage list` names it, such as simulate@train.")],
    run: Annotated[str, typer.Option(help="Id of the run, whose folder in the object storage its caller has written.")],
    part: Annotated[str | None, typer.Option(help="I/N: one of N pods; the first puts their parts together.")] = None,
) -> None:
    """Do one stage of a run here for a caller elsewhere; exits with the code of the stage's own command."""
    from components.cluster.pod import run_pod
    from components.simulation.parts import parse_part

    enter_project()
    run_pod(Path.cwd(), stage, run=run, part=parse_part(part) if part else None)


def join(
    stage: Annotated[str, typer.Argument(help="Stage that another machine leads, such as stage2@wan22.")],
    run: Annotated[str | None, typer.Option(help="Id of the run; default: what is here is used as it is.")] = None,
) -> None:
    """Compute this machine's share of a stage that trains on several, where torchrun's PET_ variables say."""
    from components.cluster.inputs import pull_inputs
    from components.cluster.pod import enter_run
    from components.parameters.loader import load_params
    from components.pipeline.graph import find_stage, load_graph
    from components.processes import signals
    from components.training.joining import join_stage

    enter_project()
    root = Path.cwd()
    if run is not None:
        enter_run(root, run)
    graph = load_graph(root)
    found = find_stage(graph, stage)
    if run is not None:
        pull_inputs(root, graph, found)
    with signals() as stopped:
        join_stage(found, ranks=load_params().resources.ranks, stopped=stopped)
