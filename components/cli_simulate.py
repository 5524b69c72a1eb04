"""The command phys4d simulate: a stage of the graph, or clips of one category for whoever asks."""

from pathlib import Path
from typing import Annotated

import typer

from components.cli_common import AsJson, SplitName, enter_project, run_stage_command, show

CLIPS, VIEWS, TAKES = 8, 1, 1  # of a category, unless the command says otherwise


def simulate(
    *,
    split: Annotated[SplitName | None, typer.Option(help="Split of the graph: the stage.")] = None,
    category: Annotated[str | None, typer.Option(help="Instead of a split: clips of one category, into --out.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for them.")] = None,
    family: Annotated[str | None, typer.Option(help="One family of the category; default: in their shares.")] = None,
    clips: Annotated[int, typer.Option(min=1, help="Configurations.")] = CLIPS,
    size: Annotated[str | None, typer.Option(help="HEIGHTxWIDTH in pixels.")] = None,
    frames: Annotated[int | None, typer.Option(min=2, help="Frames of a clip.")] = None,
    fps: Annotated[int | None, typer.Option(min=1, help="Frames a second.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed, other clips.")] = None,
    views: Annotated[int, typer.Option(min=1, max=3, help="Cameras.")] = VIEWS,
    takes: Annotated[int, typer.Option(min=1, max=2, help="2: another from a slightly other start.")] = TAKES,
    preview: Annotated[bool, typer.Option("--preview", help="Also preview.mp4: RGB, depth, flow, ids.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stage: simulate and annotate the clips of a split. With --category: any number of clips, into a folder."""
    from components.errors import ParametersError

    if category is None:
        options = (out, family, size, frames, fps, seed)
        if split is None or preview or any(option is not None for option in options) or clips != CLIPS:
            raise ParametersError("expected --split for the stage, or --category and --out for clips of your own")
        run_stage_command("simulate", {"split": split}, as_json=as_json)
        return
    if split is not None or out is None:
        raise ParametersError("--category goes with --out, and without --split")
    from components.parameters.loader import load_params
    from components.processes import signals
    from components.simulation.request import Request, simulate_to_folder

    target = out.absolute()  # below the folder the command was given in
    enter_project()
    request = Request(
        category=category,
        family=family,
        clips=clips,
        size=size,
        frames=frames,
        fps=fps,
        seed=seed,
        views=views,
        takes=takes,
    )
    with signals() as stopped:
        figures = simulate_to_folder(request, load_params(), out=target, preview=preview, stopped=stopped)
    show(dict(figures), as_json=as_json)
