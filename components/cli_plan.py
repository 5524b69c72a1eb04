"""The command phys4d plan: what a run would do and where, how much memory it needs, and what to change for less."""

from typing import TYPE_CHECKING, Annotated

import typer

from components.cli_common import AsJson, enter_project, show

if TYPE_CHECKING:
    from components.params import Params


def plan(
    *,
    backbone: Annotated[str | None, typer.Option(help="One backbone; default: those of pipeline.backbones.")] = None,
    profile: Annotated[str | None, typer.Option(help="Of a profile; default: of params.yaml.")] = None,
    memory: Annotated[
        float | None, typer.Option(min=0.001, help="GB that the machine has, or its accelerator; default: this one's.")
    ] = None,
    ram: Annotated[float | None, typer.Option(min=0.001, help="GB of RAM beside an accelerator of --memory.")] = None,
    stages: Annotated[bool, typer.Option("--stages", help="Only what is out of date, why, and where it runs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what is out of date, why, and where it would run; then how much memory each stage needs, in GB.

    Of another machine or profile (--memory, --profile) the memory alone.
    """
    from components.errors import ParametersError
    from components.parameters.backbones import FAMILIES
    from components.parameters.loader import load_params, parse_params
    from components.parameters.profiles import profile_values

    if ram is not None and memory is None:
        raise ParametersError("--ram goes with --memory, which says what the accelerator has")
    if backbone is not None and backbone not in FAMILIES:
        raise ParametersError(f"--backbone {backbone[:40]!r} is wrong, expected one of {', '.join(FAMILIES)}")
    enter_project()
    params = parse_params(profile_values(profile), source=f"profile {profile}") if profile else load_params()

    if stages or not (profile or memory or as_json):
        _stages(params, as_json=as_json)
    if stages:
        return
    from components.planning.machine import described, this_machine
    from components.planning.plan import plan as rows_of
    from components.planning.plan import table, to_json

    machine = this_machine() if memory is None else described(memory, ram=ram, profile=params.profile)
    rows = list(rows_of(params, machine, backbone=backbone))
    if as_json:
        show(dict(to_json(rows)), as_json=True)
    else:
        typer.echo(table(rows))


def _stages(params: "Params", *, as_json: bool) -> None:
    from dataclasses import asdict
    from pathlib import Path

    from components.pipeline.graph import load_graph
    from components.pipeline.stale import stale_stages
    from components.planning.places import page, places

    root = Path.cwd()
    graph = load_graph(root)
    found = places(graph, params, stale_stages(root))
    if as_json:
        show({"stages": [asdict(one) for one in found]}, as_json=True)
    else:
        typer.echo(f"{page(found, stages=len(graph))}\n")
