"""The command phys4d faults: how every metric reacts to faults planted in simulated clips."""

from pathlib import Path
from typing import Annotated

import typer

from components.cli_common import AsJson, enter_project, show


def faults(
    *,
    out: Annotated[Path, typer.Option(help="Folder for faults.json and faults.md.")] = Path("faults"),
    split: Annotated[
        Path | None, typer.Option(help="Folder of a split to plant them in; default: clips made on the spot.")
    ] = None,
    clips: Annotated[int, typer.Option(min=6, help="How many clips.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn, such as jitter.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Plant faults in true clips at growing strength, and write what every metric makes of them."""
    import json

    from components.evaluation.faults.clips import simulated_truths, truths_of_split
    from components.evaluation.faults.page import markdown
    from components.evaluation.faults.table import table_of
    from components.files import write_atomically
    from components.parameters.loader import parse_params
    from components.parameters.profiles import profile_values
    from components.progress import counter

    target, folder = out.absolute(), split.absolute() if split else None  # below the folder the command was given in
    enter_project()
    if folder is None:
        truths = simulated_truths(parse_params(profile_values("laptop"), source="laptop"), clips=clips)
    else:
        truths = truths_of_split(folder, clips=clips)
    with counter("faults", unit="clips") as progress:
        table = table_of(truths, seed=seed, progress=progress)
    write_atomically(target / "faults.json", json.dumps(table.to_json(), indent=1, allow_nan=False).encode())
    write_atomically(target / "faults.md", markdown(table).encode())
    declared = sum(reaction.declared for reaction in table.reactions)
    figures = {"page": str(out / "faults.md"), "clips": len(table.clips), "declared": declared}
    show({**figures, "broken": [f"{one.fault}: {one.metric}" for one in table.broken]}, as_json=as_json)
