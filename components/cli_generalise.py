"""The command phys4d generalise: what training is worth on scenes unlike those that it has seen."""

from pathlib import Path
from typing import Annotated

import typer

from components.cli_common import AsJson, check_names, enter_project, show


def generalise(
    *,
    backbone: Annotated[list[str] | None, typer.Option(help="As often as wanted; default: all of params.yaml.")] = None,
    shift: Annotated[list[str] | None, typer.Option(help="As often as wanted; default: all of the file.")] = None,
    scenes: Annotated[int, typer.Option(min=2, help="Of each shift.")] = 32,
    shifts: Annotated[Path | None, typer.Option(help="Another file of shifts.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Show what is finished, and run nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the trained models on held-out families and parameters; a run that was stopped goes on.

    A finished shift is lines of docs/evidence/generalisation.csv: a still, the base, stages 2 and 3, and what they
    gained. The models are those of params.yaml, trained where they are not there yet.
    """
    from components.ablation.generalisation import Generalisation
    from components.ablation.shifts import GENERALISATION_CHART, SHIFTS_FILE, load_shifts, read_lines, shifts_table
    from components.ablation.shifts_chart import draw_shifts
    from components.ablation.workspace import open_workspace
    from components.checkout import checked_out
    from components.compute import use_cores
    from components.files import write_atomically
    from components.parameters.loader import load_params
    from components.processes import signals

    file = shifts.absolute() if shifts else SHIFTS_FILE
    enter_project()
    params, known = load_params(), load_shifts(file)
    check_names("--shift", shift, known)
    check_names("--backbone", backbone, params.pipeline.backbones)
    with signals() as stopped, open_workspace(Path(), stopped, looking=list_only) as workspace:
        found = Generalisation(
            workspace=workspace,
            params=params,
            scenes=scenes,
            commit=checked_out(Path()),
            stopped=stopped,
        )
        backbones = backbone or params.pipeline.backbones
        use_cores(params.resources, beside=params.resources.trainings)

        def not_run(of: str) -> list[str]:
            return [name for name in shift or known if not found.is_finished(of, known[name])]

        for one in () if list_only else backbones:
            missing = not_run(one)
            models = found.train(one) if missing else Path()
            for name in missing:
                found.run(one, known[name], models)
        left = [f"{one} {name}" for one in backbones for name in not_run(one)]
    lines = list(read_lines().values())
    if lines and not list_only:
        write_atomically(GENERALISATION_CHART, draw_shifts(lines))
    if as_json:
        show({"lines": lines, "not_run": left}, as_json=True)
        return
    if lines:
        typer.echo(shifts_table(lines))
    if left:
        typer.echo(f"not run with these parameters: {', '.join(left)}")
