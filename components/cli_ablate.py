"""The command phys4d ablate: what each part of the method is worth."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from components.cli_common import AsJson, check_names, enter_project, show


def ablate(
    *,
    backbone: Annotated[list[str] | None, typer.Option(help="As often as wanted; default: all of params.yaml.")] = None,
    variant: Annotated[list[str] | None, typer.Option(help="As often as wanted; default: all of the file.")] = None,
    replicate: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Of several trainings, which differ in their seed; as often as wanted; 0, 1 and 2."),
    ] = None,
    split: Annotated[Literal["dev", "test"], typer.Option(help="The scenes that are measured.")] = "dev",
    variants: Annotated[Path | None, typer.Option(help="Another file of variants.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Show the cells, and run none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train and measure variants of the method, cell by cell; a run that was stopped goes on.

    A finished cell is a line of docs/evidence/cells.csv, what a variant differs by from what it is compared with one of
    docs/evidence/differences.csv. Data and judge are the project's own.
    """
    from components.ablation.cells import Cell, read_cells, table
    from components.ablation.chart import draw
    from components.ablation.comparison import CHART_FILE, write_differences
    from components.ablation.run import Ablation
    from components.ablation.variants import VARIANTS_FILE, load_variants
    from components.ablation.workspace import open_workspace
    from components.checkout import checked_out
    from components.compute import use_cores
    from components.files import write_atomically
    from components.parameters.loader import load_params
    from components.processes import signals

    file = variants.absolute() if variants else VARIANTS_FILE
    enter_project()
    params, known = load_params(), load_variants(file)
    check_names("--variant", variant, known)
    check_names("--backbone", backbone, params.pipeline.backbones)
    cells = [
        Cell(backbone=one, replicate=number, variant=name, split=split)
        for one in backbone or params.pipeline.backbones
        for number in replicate or range(3)
        for name in variant or known
    ]
    with signals() as stopped, open_workspace(Path(), stopped, looking=list_only) as workspace:
        ablation = Ablation(
            workspace=workspace,
            params=params,
            variants=known,
            commit=checked_out(Path()),
            stopped=stopped,
        )
        use_cores(params.resources, beside=params.resources.trainings)
        for cell in () if list_only else cells:
            if not ablation.is_finished(cell):
                ablation.run(cell)
    wanted = {cell.name: ablation.hash_of(cell) for cell in cells}
    found = ablation.differences()
    if found and not list_only:
        write_differences(found)
        write_atomically(CHART_FILE, draw(found))
    if as_json:
        finished = read_cells()
        lines = {cell.name: finished.get(cell.key) for cell in cells}
        show({"cells": lines, "differences": [one.line() for one in found]}, as_json=True)
    else:
        typer.echo(table(cells, read_cells(), wanted))
