"""The laws of the design: one owner for each concern, and a reader finds every stage in one hop."""

import ast
from functools import cache
from pathlib import Path

import pytest

from components.cli import app
from components.pipeline.graph import load_graph

MODULES = sorted(Path("components").rglob("*.py"))
OWNERS = {  # a library, and the only places that may import it
    "mlflow": ("components/tracking.py", "components/registry/"),
    "kubernetes": ("components/cluster/",),
    "boto3": ("components/storage/",),
    "botocore": ("components/storage/",),
    "great_expectations": ("components/quality.py",),
    "pybullet": ("components/simulation/solvers/", "components/bench"),
    "prefect": (),
    "flows": (),
    "dvc": (),  # DVC is run, not imported
}


@cache
def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_imported_by_its_owner_alone(library: str) -> None:
    owners = OWNERS[library]
    others = [str(path) for path in MODULES if library in imports(path) and not str(path).startswith(owners or ("-",))]
    assert others == []


def test_every_stage_has_a_module_and_a_command_of_its_name() -> None:
    commands = {
        (command.name or command.callback.__name__.replace("_", "-"))
        for command in app.registered_commands
        if command.callback
    }
    commands |= {  # a group that is a command by itself too
        group.name or ""
        for group in app.registered_groups
        if group.typer_instance and group.typer_instance.info.invoke_without_command
    }
    for stage in load_graph(Path()).values():
        assert Path("components/stages", f"{stage.template}.py").is_file()
        assert stage.template.replace("_", "-") in commands


def test_every_stage_module_is_in_the_graph_and_short() -> None:
    templates = {stage.template for stage in load_graph(Path()).values()}
    for path in Path("components/stages").glob("[!_]*.py"):
        assert path.stem in templates
        assert len(path.read_text().splitlines()) <= 60


def test_no_file_is_too_long_to_read() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in MODULES}
    assert max(lengths.values()) <= 400
    assert sorted(lengths.values())[len(lengths) // 2] <= 150


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_parameters_are_seen_as_types_only_outside_their_own_room(path: Path) -> None:
    """So that params.py is in no stage's import closure: DVC tracks values, not the module that types them."""
    if path.parts[1] in ("params.py", "parameters", "pipeline"):
        return
    runtime = ast.parse(path.read_text())
    for node in ast.walk(runtime):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = [ast.Pass()]
    names = {node.module for node in ast.walk(runtime) if isinstance(node, ast.ImportFrom)}
    if path.name in ("cli.py", "__main__.py"):
        return
    assert "components.params" not in names
