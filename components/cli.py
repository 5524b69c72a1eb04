"""The command phys4d. Heavy imports stand inside the commands, so that --help stays fast.

Figures go to standard output, with --json as one object; everything else goes to standard error. When a command fails,
standard output stays empty; only `params check --json` says there what is wrong, and exits with 78 all the same.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(
    name="phys4d",
    help="Turn an appearance-driven video model into a physics-consistent 4D model, and measure by how much.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
params_app = typer.Typer(help="Check params.yaml.")
profile_app = typer.Typer(help="Write, show and compare profiles of parameters.")
dvc_app = typer.Typer(help="Keep dvc.yaml in step with the code.")
physics_iq_app = typer.Typer(help="Score videos with the Physics-IQ benchmark's definition.")
app.add_typer(params_app, name="params")
app.add_typer(profile_app, name="profile")
app.add_typer(dvc_app, name="dvc")
app.add_typer(physics_iq_app, name="physics-iq")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
SplitOption = Annotated[
    Literal["appearance", "labeler", "judge", "train", "dev", "test"], typer.Option(help="Split of simulated clips.")
]


@app.callback()
def phys4d(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options that every command takes; `components.__main__` reads --debug before the command runs."""


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="Stage as `dvc stage list` names it, such as simulate@train.")],
    force: Annotated[bool, typer.Option("--force", help="Run it even when it is up to date.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring one stage of the graph up to date; exits with the code of the stage's own command."""
    from components.pipeline.launcher import launch

    _enter_project()
    launch(name, force=force)
    _report({"stage": name, "code": 0}, as_json=as_json)


@app.command()
def simulate(split: SplitOption, as_json: AsJson = False) -> None:
    """Stage: simulate and annotate the clips of a split."""
    _run_stage("simulate", {"split": split}, as_json=as_json)


@app.command()
def validate_simulation(split: SplitOption, as_json: AsJson = False) -> None:
    """Stage: the gate on the simulated clips of a split."""
    _run_stage("validate_simulation", {"split": split}, as_json=as_json)


@app.command()
def baselines(as_json: AsJson = False) -> None:
    """Stage: the rows every model is compared with, a frozen first frame and the truth itself."""
    _run_stage("baselines", {}, as_json=as_json)


@app.command()
def preview(
    split: SplitOption = "test",
    clips: Annotated[int, typer.Option(min=1, help="How many clips, spread over the families.")] = 6,
    out: Annotated[Path, typer.Option(help="Picture to write, .png or .jpg.")] = Path("preview.png"),
) -> None:
    """Draw simulated clips, a row for each field: what a model will be taught, for the eye."""
    from components.simulation.preview import write_preview

    target = out.absolute()  # below the folder the command was given in
    _enter_project()
    write_preview(Path("data/simulation") / split, clips=clips, out=target)
    typer.echo(str(out))


@app.command()
def bench(as_json: AsJson = False) -> None:
    """Measure the project's speed, as ratios within one run."""
    from components.benchmarks.suite import run_benchmarks
    from components.parameters.loader import parse_params
    from components.parameters.profiles import profile_values

    _enter_project()
    _report(run_benchmarks(parse_params(profile_values("laptop"), source="laptop")), as_json=as_json)


@params_app.command("check")
def params_check(as_json: AsJson = False) -> None:
    """Say everything that is wrong in params.yaml; exits with 78 when something is."""
    from components.errors import ParametersError
    from components.parameters.loader import PARAMS_FILE, examine, read_yaml

    _enter_project()
    try:
        _, problems = examine(read_yaml(PARAMS_FILE))
    except ParametersError as error:
        if as_json:
            _report({"good": False, "problems": [{"field": "", "message": str(error)}]}, as_json=True)
        raise
    if as_json:
        found = [{"field": problem.field, "message": problem.message} for problem in problems]
        _report({"good": not found, "problems": found}, as_json=True)
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

    _enter_project()
    backup = use_profile(name, force=force)
    typer.echo(f"params.yaml: profile {name}" + (f"; the edited file is {backup}" if backup else ""), err=True)


@profile_app.command("show")
def profile_show(name: Annotated[str, typer.Argument(help="Profile, such as laptop or smoke.")]) -> None:
    """Print the whole params.yaml of a profile."""
    from components.parameters.profiles import profile_text

    _enter_project()
    typer.echo(profile_text(name), nl=False)


@profile_app.command("diff")
def profile_diff(
    name: Annotated[str | None, typer.Argument(help="Profile; default: the one params.yaml names.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show where params.yaml differs from a profile: with --json {field: [the profile's value, params.yaml's]}."""
    from components.parameters.profiles import compare_with

    _enter_project()
    profile, changes = compare_with(name)
    if as_json:
        found = {change.field: [change.left, change.right] for change in changes}
        _report(json.loads(json.dumps(found), parse_constant=str), as_json=True)  # JSON has no NaN: it becomes text
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

    _enter_project()
    stages = outdated(Path.cwd()) if check else sync(Path.cwd())
    if check and stages:
        raise Phys4dError(f"dvc.yaml: code dependencies of {', '.join(stages)} are out of date: run phys4d dvc sync")
    typer.echo(f"dvc.yaml: {', '.join(stages) if stages else 'nothing'} changed", err=True)


@physics_iq_app.command("score")
def physics_iq_score(
    videos: Annotated[Path, typer.Option(help="Generated videos; each name begins with the id of its case.")],
    real: Annotated[Path, typer.Option(help="Real videos of the benchmark, two takes.")],
    fps: Annotated[int | None, typer.Option(min=1, help="Common frame rate; default: the generated videos'.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: one a core.")] = None,
    as_json: AsJson = False,
) -> None:
    """Score a folder of generated videos against two real takes."""
    import os

    from components.evaluation.physics_iq_files import score_folder
    from components.progress import counter

    with counter("physics-iq", unit="cases") as progress:
        score = score_folder(videos, real, fps=fps, workers=workers or os.cpu_count() or 1, progress=progress)
    _report(score.to_json(), as_json=as_json)


def _run_stage(template: str, item: dict[str, str], *, as_json: bool) -> None:
    from components.pipeline.execution import run_stage

    _enter_project()
    _report(dict(run_stage(template, item)), as_json=as_json)


def _enter_project() -> None:
    """Work in the project's folder, wherever in it the command was given."""
    import os

    from components.pipeline.execution import project_root

    os.chdir(project_root())


def _report(figures: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(figures, allow_nan=False))
        return
    for name, value in figures.items():
        typer.echo(f"{name}: {json.dumps(value)}")
