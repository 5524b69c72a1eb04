"""What all commands share: where they work, and how they print figures."""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
BackboneOption = Annotated[str, typer.Option(help="Backbone, as params.yaml names it, such as wan22.")]


SplitName = Literal["appearance", "labeler", "judge", "train", "dev", "test"]
SplitOption = Annotated[SplitName, typer.Option(help="Split of simulated clips.")]


def enter_project() -> None:
    """Work in the project's folder, wherever in it the command was given."""
    import os

    from components.pipeline.execution import project_root

    os.chdir(project_root())


def check_names(option: str, given: Iterable[str] | None, allowed: Iterable[str]) -> None:
    """ParametersError for a name that was given and is not allowed."""
    from components.errors import ParametersError

    allowed = list(allowed)
    for name in given or ():
        if name not in allowed:
            raise ParametersError(f"{option} {name[:40]!r} is wrong, expected one of {', '.join(allowed)}")


MOST_LINES = 60  # of figures that are printed


def show(figures: dict[str, Any], *, as_json: bool) -> None:
    """Print figures: a line each, or one JSON object."""
    if as_json:
        typer.echo(json.dumps(figures, allow_nan=False))
        return
    for name, value in figures.items():
        typer.echo(f"{name}: {json.dumps(value)}")


def run_stage_command(template: str, item: Mapping[str, str], *, as_json: bool) -> None:
    """Run a stage's own work and print its figures, where a reader can take them in: what DVC calls."""
    from components.launched import is_follower
    from components.pipeline.execution import run_stage
    from components.pipeline.following import follow_stage

    enter_project()
    if is_follower():
        follow_stage(template, item)
        return
    figures = dict(run_stage(template, item))
    if len(figures) > MOST_LINES and not as_json:
        typer.echo(f"{len(figures)} figures: {template} --json prints them; MLflow and the stage's own files have them")
        return
    show(figures, as_json=as_json)
