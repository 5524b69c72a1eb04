"""The commands phys4d doctor and phys4d status: whether what the project needs is there, and what goes on."""

import typer

from components.cli_common import AsJson, enter_project, show


def doctor(*, as_json: AsJson = False) -> None:
    """Try what the project needs: versions, disk, accelerator, MLflow, Prefect, storage, cluster; say what to do."""
    from dataclasses import asdict
    from pathlib import Path

    from components.doctor import machine, services
    from components.doctor.findings import State, page
    from components.errors import Phys4dError
    from components.parameters.loader import load_params

    enter_project()
    root, params = Path.cwd(), load_params()
    findings = [*machine.look(root, params), *services.look(root, params)]
    if as_json:
        show({"findings": [{**asdict(one), "state": one.state.value} for one in findings]}, as_json=True)
    else:
        typer.echo(page(findings))
    wrong = [one.name for one in findings if one.state is State.BAD]
    if wrong:
        raise Phys4dError(f"doctor: not good: {', '.join(dict.fromkeys(wrong))}; what to do stands beside each")


def status(*, as_json: AsJson = False) -> None:
    """Say what runs here and in pods, how stages ended, the last whole runs, and which models are champions."""
    from dataclasses import asdict
    from pathlib import Path

    from components.parameters.loader import load_params
    from components.pipeline.graph import load_graph
    from components.status import lines, screen

    enter_project()
    found = list(lines(Path.cwd(), load_params(), load_graph(Path.cwd())))
    if as_json:
        show({"lines": [asdict(one) for one in found]}, as_json=True)
    else:
        typer.echo(screen(found))
