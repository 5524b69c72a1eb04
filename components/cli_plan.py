"""The command phys4d plan: how much memory every stage needs, and what to change where there is less."""

from typing import Annotated

import typer

from components.cli_common import AsJson, enter_project, show


def plan(
    *,
    backbone: Annotated[str | None, typer.Option(help="One backbone; default: those of pipeline.backbones.")] = None,
    profile: Annotated[str | None, typer.Option(help="Of a profile; default: of params.yaml.")] = None,
    memory: Annotated[
        float | None, typer.Option(min=0.001, help="GB that the machine has, or its accelerator; default: this one's.")
    ] = None,
    ram: Annotated[float | None, typer.Option(min=0.001, help="GB of RAM beside an accelerator of --memory.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say how much memory each stage that trains or samples needs, in GB, and whether there is as much."""
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

    from components.planning.machine import described, this_machine
    from components.planning.plan import plan as rows_of
    from components.planning.plan import table, to_json

    machine = this_machine() if memory is None else described(memory, ram=ram, profile=params.profile)
    rows = list(rows_of(params, machine, backbone=backbone))
    if as_json:
        show(dict(to_json(rows)), as_json=True)
    else:
        typer.echo(table(rows))
