"""The command of a pod; people do not need it, so --help does not list it."""

from pathlib import Path
from typing import Annotated

import typer

from components.cli_common import enter_project


def pod(
    stage: Annotated[str, typer.Argument(help="Stage as `dvc stage list` names it, such as simulate@train.")],
    run: Annotated[str, typer.Option(help="Id of the run, whose folder in the object storage its caller has written.")],
) -> None:
    """Do one stage of a run here for a caller elsewhere; exits with the code of the stage's own command."""
    from components.cluster.pod import run_pod

    enter_project()
    run_pod(Path.cwd(), stage, run=run)
