"""Commands in groups: parameters, profiles, the graph, the registry, tracking."""

import json
from pathlib import Path
from typing import Annotated

import typer

from components.cli_common import AsJson, enter_project, show

params_app = typer.Typer(help="Check params.yaml.")
profile_app = typer.Typer(help="Write, show and compare profiles of parameters.")
dvc_app = typer.Typer(help="Keep dvc.yaml in step with the code.")
registry_app = typer.Typer(help="Versions of trained models, and which is the champion.")
tracking_app = typer.Typer(help="Figures of runs in MLflow.")


@params_app.command("check")
def params_check(as_json: AsJson = False) -> None:
    """Say everything that is wrong in params.yaml; exits with 78 when something is."""
    from components.errors import ParametersError
    from components.parameters.loader import PARAMS_FILE, examine, read_yaml

    enter_project()
    try:
        _, problems = examine(read_yaml(PARAMS_FILE))
    except ParametersError as error:
        if as_json:
            show({"good": False, "problems": [{"field": "", "message": str(error)}]}, as_json=True)
        raise
    if as_json:
        found = [{"field": problem.field, "message": problem.message} for problem in problems]
        show({"good": not found, "problems": found}, as_json=True)
    for problem in problems[:-1]:
        typer.echo(f"{PARAMS_FILE}: {problem}", err=True)
    if problems:
        raise ParametersError(f"{PARAMS_FILE}: {problems[-1]}")
    typer.echo(f"{PARAMS_FILE}: good", err=True)


@profile_app.command("use")
def profile_use(
    name: Annotated[str, typer.Argument(help="Profile, such as laptop or smoke.")],
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite an edited params.yaml; keeps it as params.yaml.bak, .bak.1, ...")
    ] = False,
) -> None:
    """Write params.yaml for a profile."""
    from components.parameters.profiles import use_profile

    enter_project()
    backup = use_profile(name, force=force)
    typer.echo(f"params.yaml: profile {name}" + (f"; the edited file is {backup}" if backup else ""), err=True)


@profile_app.command("show")
def profile_show(name: Annotated[str, typer.Argument(help="Profile, such as laptop or smoke.")]) -> None:
    """Print the whole params.yaml of a profile."""
    from components.parameters.profiles import profile_text

    enter_project()
    typer.echo(profile_text(name), nl=False)


@profile_app.command("diff")
def profile_diff(
    name: Annotated[str | None, typer.Argument(help="Profile; default: the one params.yaml names.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show where params.yaml differs from a profile: with --json {field: [the profile's value, params.yaml's]}."""
    from components.parameters.profiles import compare_with

    enter_project()
    profile, changes = compare_with(name)
    if as_json:
        found = {change.field: [change.left, change.right] for change in changes}
        show(json.loads(json.dumps(found), parse_constant=str), as_json=True)  # JSON has no NaN: it becomes text
        return
    for change in changes:
        typer.echo(f"{change.field}: {profile} {change.left}, params.yaml {change.right}")


@dvc_app.command("sync")
def dvc_sync(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 when something is out of date.")
    ] = False,
) -> None:
    """Write every stage's code dependencies, its import closure, into dvc.yaml."""
    from components.errors import Phys4dError
    from components.pipeline.sync import outdated, sync

    enter_project()
    stages = outdated(Path.cwd()) if check else sync(Path.cwd())
    if check and stages:
        raise Phys4dError(f"dvc.yaml: code dependencies of {', '.join(stages)} are out of date: run phys4d dvc sync")
    typer.echo(f"dvc.yaml: {', '.join(stages) if stages else 'nothing'} changed", err=True)


@tracking_app.command("sync")
def tracking_sync(as_json: AsJson = False) -> None:
    """Deliver figures that MLflow could not take when they were made."""
    from components.tracking import sync

    enter_project()
    done = sync(Path.cwd())
    show({"delivered": done.delivered, "running": done.running}, as_json=as_json)


@registry_app.command("fetch")
def registry_fetch(
    name: Annotated[str, typer.Argument(help="Registered model, such as phys4d-wan22-tiny.")],
    out: Annotated[Path, typer.Option(help="Folder for its files.")],
    alias: Annotated[str, typer.Option(help="Which version: champion, challenger or previous.")] = "champion",
) -> None:
    """Download a registered model, every file held against its sha256."""
    from components.registry.versions import fetch

    target = out.absolute()
    enter_project()
    typer.echo(str(fetch(Path.cwd(), name, target, alias=alias)))


@registry_app.command("unlock")
def registry_unlock(
    name: Annotated[str, typer.Argument(help="Registered model, such as phys4d-wan22-tiny.")], as_json: AsJson = False
) -> None:
    """Remove the lock that a promotion left which died on another machine."""
    from components.registry.lock import unlock
    from components.registry.versions import registry

    enter_project()
    with registry(Path.cwd()) as client:
        show({"removed": unlock(client, name)}, as_json=as_json)
