"""What all commands share: where they work, and how they print figures."""

import json
from typing import Annotated, Any, Literal

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
BackboneOption = Annotated[Literal["wan22"], typer.Option(help="Backbone, as params.yaml names it.")]


def enter_project() -> None:
    """Work in the project's folder, wherever in it the command was given."""
    import os

    from components.pipeline.execution import project_root

    os.chdir(project_root())


def show(figures: dict[str, Any], *, as_json: bool) -> None:
    """Print figures: a line each, or one JSON object."""
    if as_json:
        typer.echo(json.dumps(figures, allow_nan=False))
        return
    for name, value in figures.items():
        typer.echo(f"{name}: {json.dumps(value)}")
