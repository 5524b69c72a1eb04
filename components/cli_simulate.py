"""The command phys4d simulate: a stage of the graph, or clips of one category, or of all, for whoever asks."""

from pathlib import Path
from typing import Annotated

import typer

from components.cli_common import AsJson, SplitName, enter_project, run_stage_command, show

CLIPS, VIEWS, TAKES = 8, 1, 1  # of a category, unless the command says otherwise


def simulate(
    *,
    split: Annotated[SplitName | None, typer.Option(help="Split of the graph: the stage.")] = None,
    category: Annotated[str | None, typer.Option(help="Instead of --split: clips of a category, or all.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for them.")] = None,
    family: Annotated[str | None, typer.Option(help="One family of the category; default: in their shares.")] = None,
    clips: Annotated[int, typer.Option(min=1, help="Configurations of each category.")] = CLIPS,
    size: Annotated[str | None, typer.Option(help="HEIGHTxWIDTH in pixels.")] = None,
    frames: Annotated[int | None, typer.Option(min=2, help="Frames of a clip.")] = None,
    fps: Annotated[int | None, typer.Option(min=1, help="Frames a second.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed, other clips.")] = None,
    orbit: Annotated[float | None, typer.Option(help="Degrees every camera circles the scene, to its right.")] = None,
    views: Annotated[int, typer.Option(min=1, max=3, help="Cameras.")] = VIEWS,
    takes: Annotated[int, typer.Option(min=1, max=2, help="2: another from a slightly other start.")] = TAKES,
    part: Annotated[str | None, typer.Option(help="I/N: only every N-th shard; all N, then without it.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Also preview.mp4: RGB, depth, flow, ids.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stage: simulate and annotate the clips of a split. With --category: any number of clips, into a folder."""
    from components.errors import ParametersError

    if category is None:
        options = (out, family, size, frames, fps, seed, orbit)
        if split is None or preview or any(option is not None for option in options) or clips != CLIPS:
            raise ParametersError("expected --split for the stage, or --category and --out for clips of your own")
        if part is not None:
            show(_stage_part(split, part), as_json=as_json)
            return
        run_stage_command("simulate", {"split": split}, as_json=as_json)
        return
    if split is not None or out is None:
        raise ParametersError("--category goes with --out, and without --split")
    if preview and part is not None:
        raise ParametersError("--preview goes without --part: a part is no set of clips yet")
    from components.parameters.loader import load_params
    from components.processes import signals
    from components.simulation.parts import parse_part
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
        orbit=orbit,
        views=views,
        takes=takes,
    )
    with signals() as stopped:
        figures = simulate_to_folder(
            request,
            load_params(),
            out=target,
            preview=preview,
            stopped=stopped,
            part=parse_part(part) if part else None,
        )
    show(dict(figures), as_json=as_json)


def _stage_part(split: SplitName, text: str) -> dict[str, float]:
    from components.pipeline.graph import find_stage, load_graph
    from components.pipeline.part import make_part
    from components.simulation.parts import parse_part

    part = parse_part(text)
    enter_project()
    root = Path.cwd()
    return dict(make_part(find_stage(load_graph(root), f"simulate@{split}"), root, part))
