"""`phys4d promote` and `phys4d rollback`: which version of a model is the champion."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from components.cli_common import AsJson, BackboneOption, enter_project, show

if TYPE_CHECKING:
    from components.registry.promotion import Decision


def promote(
    *,
    backbone: BackboneOption = "wan22",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide, and change nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also a version that a rollback withdrew.")] = False,
    as_json: AsJson = False,
) -> None:
    """Register the pipeline's model, and make it the champion if it passes the gate; exits with 65 when it does not.

    data/promotion/BACKBONE.json has every check with its numbers.
    """
    from components.errors import GateRefusedError
    from components.parameters.loader import load_params
    from components.registry import promotion

    enter_project()
    decide = promotion.consider if dry_run else promotion.promote
    decision = decide(Path.cwd(), load_params(), backbone=backbone, again=again)
    if not as_json:
        _tell(decision)
    if not decision.promoted:
        raise GateRefusedError(decision.text)
    found = {"name": decision.contents.name, "version": decision.version.number if decision.version else None}
    show({**found, "champion": decision.champion, "verdict": decision.text}, as_json=as_json)


def rollback(backbone: BackboneOption = "wan22", as_json: AsJson = False) -> None:
    """Make the previous champion the champion again, and withdraw the one there is."""
    from components.parameters.loader import load_params
    from components.registry import promotion
    from components.registry.contents import model_name

    enter_project()
    section = getattr(load_params().backbones, backbone, None)
    if section is None:
        from components.errors import ParametersError

        raise ParametersError(f"--backbone {backbone}: params.yaml has no such backbone")
    show({"champion": promotion.rollback(Path.cwd(), model_name(backbone, section.size))}, as_json=as_json)


def _tell(decision: "Decision") -> None:
    """Every check, one a line, on standard error."""
    for check in decision.checks:
        typer.echo(f"{'passed' if check.passed else 'FAILED'}  {check.name}: {check.text}", err=True)
