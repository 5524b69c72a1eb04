"""The command phys4d evaluate: the stage; videos of a model from outside; the prompts that such a model is given."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from components.cli_common import AsJson, enter_project, run_stage_command, show

evaluate_app = typer.Typer(invoke_without_command=True)

EvaluatedSplit = Annotated[
    Literal["dev", "test"] | None, typer.Option(help="Split of the prompts; default: evaluation.split of params.yaml.")
]


@evaluate_app.callback()
def evaluate(
    context: typer.Context,
    *,
    backbone: Annotated[
        str | None,
        typer.Option(
            help="The stage's; with --videos: whose base and stage 3 it is compared with; default: the graph's first.",
        ),
    ] = None,
    videos: Annotated[
        Path | None, typer.Option(help="Instead: a folder of videos that answer the exported prompts.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of their model; default: the folder's name.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; default: data/evaluation/external/NAME.")
    ] = None,
    split: EvaluatedSplit = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Measure the prompts that have videos, and say how many.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Stage: base and stages 1 to 3, measured by the independent judge. With --videos: a model from outside."""
    from components.errors import ParametersError

    given = [videos, name, out, split] != [None] * 4 or allow_missing
    if context.invoked_subcommand is not None:
        if given or backbone or as_json:
            raise ParametersError(f"options stand after the command: phys4d evaluate {context.invoked_subcommand} ...")
        return
    if videos is None:
        if given or backbone is None:
            raise ParametersError(
                "expected --backbone for the stage; or --videos, and with it --name, --out, --split or --allow-missing"
            )
        run_stage_command("evaluate", {"backbone": backbone}, as_json=as_json)
        return
    _evaluate_videos(
        videos, name=name, out=out, backbone=backbone, split=split, allow_missing=allow_missing, as_json=as_json
    )


@evaluate_app.command("export")
def export(
    out: Annotated[Path, typer.Option(help="Folder to write: new, or an earlier export.")],
    split: EvaluatedSplit = None,
    as_json: AsJson = False,
) -> None:
    """Write the prompts for a model from outside: first frames, captions, and how its videos must be named."""
    from components.evaluation.external.export import export_prompts
    from components.parameters.loader import load_params
    from components.progress import counter

    target = out.absolute()  # below the folder the command was given in
    enter_project()
    folder = Path("data/simulation") / (split or load_params().evaluation.split)
    with counter("evaluate export", unit="prompts") as progress:
        exported = export_prompts(folder, target, progress=progress)
    show(
        {"folder": str(out), "split": folder.name, "prompts": exported.prompts, "replaced": exported.replaced},
        as_json=as_json,
    )


def _evaluate_videos(
    videos: Path,
    *,
    name: str | None,
    out: Path | None,
    backbone: str | None,
    split: str | None,
    allow_missing: bool,
    as_json: bool,
) -> None:
    from components.evaluation.external.names import check_name
    from components.locks import exclusive
    from components.parameters.loader import load_params
    from components.pipeline.execution import STATE, lock_path
    from components.processes import keep_freed_memory, limit_threads, signals
    from components.progress import Progress

    folder, target = videos.resolve(), out.resolve() if out else None  # below the folder the command was given in
    row = folder.name if name is None else name
    check_name(row, given=name is not None)
    enter_project()
    root, params = Path.cwd(), load_params()
    limit_threads(params.resources.threads)
    keep_freed_memory()
    from components.compute import use_cores
    from components.evaluation.external.evaluate import External, evaluate_videos
    from components.evaluation.external.standing import standing

    use_cores(params.resources)
    external = External(
        name=row,
        videos=folder,
        root=root,
        split=Path("data/simulation") / (split or params.evaluation.split),
        judge=Path("models/depth_nets/judge").absolute(),
        network=params.evaluation.frechet_network,
        own=Path("data/evaluation") / (backbone or params.pipeline.backbones[0]),
        out=target or root / "data/evaluation/external" / row,
        work=STATE / "external" / row,
        allow_missing=allow_missing,
        score_size=params.evaluation.physics_iq_size,
        resamples=params.evaluation.bootstrap_samples,
        seed=params.seed,
        processes=params.resources.processes,
    )
    label = f"evaluate {row}"
    with exclusive(lock_path(root, f"evaluate-external.{row}"), label), signals() as stopped:
        done = evaluate_videos(external, stopped=stopped, progress=lambda total: Progress(label, total, unit="clips"))
    for note in done.notes:
        typer.echo(f"note: {note}", err=True)
    if as_json:
        show(dict(done.document), as_json=True)
    else:
        typer.echo(f"{standing(done.document, row)}\n{external.out}")
