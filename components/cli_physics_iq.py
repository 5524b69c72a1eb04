"""Commands on the benchmark Physics-IQ."""

from pathlib import Path
from typing import Annotated

import typer

from components.cli_common import AsJson, show

physics_iq_app = typer.Typer(help="The benchmark Physics-IQ: download it, score videos with its definition.")


@physics_iq_app.command("score")
def physics_iq_score(
    *,
    videos: Annotated[Path, typer.Option(help="Generated videos; each name begins with the id of its case.")],
    real: Annotated[
        Path | None, typer.Option(help="Real videos of the benchmark, two takes; default: the downloaded ones.")
    ] = None,
    fps: Annotated[int | None, typer.Option(min=1, help="Common frame rate; default: the generated videos'.")] = None,
    subset: Annotated[
        bool, typer.Option("--subset", help="Score only the scenarios that the videos hold whole, and say how many.")
    ] = False,
    allow_small: Annotated[
        bool, typer.Option("--allow-small", help="Also clips below 240 pixels: not the benchmark's score.")
    ] = False,
    descriptions: Annotated[
        Path | None, typer.Option(help="Table of categories; default: descriptions.csv in or above the real folder.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="Folder for the results of finished cases; default: in the user's cache.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: one a core.")] = None,
    as_json: AsJson = False,
) -> None:
    """Score a folder of generated videos against two real takes."""
    import json
    import os

    from components.errors import ParametersError
    from components.evaluation.physics_iq_files import score_folder
    from components.evaluation.physics_iq_home import real_folder, results_folder
    from components.progress import counter

    if real is None and not real_folder().is_dir():
        raise ParametersError(
            f"--real is not given and {real_folder()} does not exist; expected the benchmark's real videos: run "
            "phys4d physics-iq download, or name their folder"
        )
    with counter("physics-iq", unit="cases") as progress:
        table = score_folder(
            videos,
            real or real_folder(),
            fps=fps,
            subset=subset,
            small=allow_small,
            descriptions=descriptions,
            results=results or results_folder(),
            workers=workers or os.cpu_count() or 1,
            progress=progress,
        )
    for note in table.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(json.dumps(table.to_json(), allow_nan=False) if as_json else table.to_text())


@physics_iq_app.command("download")
def physics_iq_download(
    fps: Annotated[int, typer.Option(help="Frame rate of the real videos: 8, 16, 24 or 30.")] = 30,
    out: Annotated[
        Path | None, typer.Option(help="Folder; default: in the user's cache, where score looks for them.")
    ] = None,
    inputs: Annotated[
        bool, typer.Option("--inputs", help="Also the first frames and conditioning videos that models start from.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Download the benchmark's real videos; every file verified, the same command resumes."""
    import time
    from dataclasses import asdict

    from components.evaluation.physics_iq_bucket import Bucket
    from components.evaluation.physics_iq_download import download
    from components.evaluation.physics_iq_home import TESTING, benchmark_folder
    from components.progress import counter

    folder = out or benchmark_folder()
    with counter("physics-iq download", unit="files") as progress:
        done = download(folder, fps=fps, inputs=inputs, bucket=Bucket(wait=time.sleep), progress=progress)
    show({"real": str(folder / TESTING), **asdict(done)}, as_json=as_json)
