"""Commands on sets of simulated clips: look at them, give them to other programs."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from components.cli_common import AsJson, show

dataset_app = typer.Typer(help="Look at sets of simulated clips, and export them.")

SplitFolder = Annotated[Path, typer.Argument(help="Folder of a split, or of several splits.", metavar="DIR")]
SkipDamaged = Annotated[
    bool, typer.Option("--skip-damaged", help="Leave damaged clips out and count them, instead of stopping there.")
]


@dataset_app.command("show")
def dataset_show(
    folder: SplitFolder,
    out: Annotated[Path, typer.Option(help="Page to write, .html.")] = Path("dataset.html"),
    clips: Annotated[int, typer.Option(min=0, help="Thumbnails of each category.")] = 6,
    skip_damaged: SkipDamaged = False,
    as_json: AsJson = False,
) -> None:
    """Write an offline contact sheet: moving thumbnails, histograms of what was drawn, counts and rejects."""
    from components.dataset.page import write_sheet
    from components.progress import counter

    with counter("dataset show", unit="clips") as progress:
        sheet = write_sheet(folder, out=out, clips=clips, skip_damaged=skip_damaged, progress=progress)
    figures = {"page": str(out), "bytes": out.stat().st_size, "clips": sum(split.clips for split in sheet.splits)}
    show({**figures, "damaged": len(sheet.damaged)}, as_json=as_json)


@dataset_app.command("export")
def dataset_export(
    folder: SplitFolder,
    layout: Annotated[Literal["isaac", "physics-iq"], typer.Option("--format", help="Whose layout.")],
    out: Annotated[Path, typer.Option(help="New folder to write.")],
    skip_damaged: SkipDamaged = False,
    as_json: AsJson = False,
) -> None:
    """Write clips as the files that another program reads; whole, or not at all."""
    from components.dataset.export import export
    from components.progress import counter

    with counter("dataset export", unit="clips") as progress:
        exported = export(folder, layout=layout, out=out, skip_damaged=skip_damaged, progress=progress)
    show({"folder": str(out), **asdict(exported)}, as_json=as_json)
