"""The rules every later stage lives by, on a small chain: what a change of parameters or code runs again."""

import re
from pathlib import Path

import pytest
import yaml

from tests.integration.project import DVC, PHYS4D, Project, make_project

CHAIN = {
    "stage1": ("stage1", None),
    "stage2": ("stage2", "stage1"),
    "stage3": ("stage3", "stage2"),
    "report": ("evaluation", "stage3"),
}
MODULE = '''"""Stage of a test."""
import json
from pathlib import Path

from components.files import write_atomically
{extra}
UNIT = "steps"


def run(params, context):
    """Write what the stage saw."""
    before = Path("out/{before}.json")
    seen = [before.read_text()] if before.exists() else []
    write_atomically(Path("out/{name}.json"), json.dumps([*seen, params.{section}.model_dump_json()]).encode())
    return {{}}
'''


@pytest.fixture
def chain(tmp_path: Path) -> Project:
    """stage1 -> stage2 -> stage3 -> report, each reading one section of the parameters; all have run once."""
    project = make_project(tmp_path)
    stages = {}
    for name, (section, before) in CHAIN.items():
        extra = "from components.evaluation import bootstrap  # noqa: F401\n" if name == "report" else ""
        text = MODULE.format(name=name, before=before, section=section, extra=extra)
        (project.root / f"components/stages/{name}.py").write_text(text)
        command = f"exec python -c \"from components.pipeline.execution import run_stage; run_stage('{name}', {{}})\""
        stages[name] = {
            "cmd": command,
            "deps": [f"out/{before}.json"] if before else [],
            "params": [section],
            "outs": [f"out/{name}.json"],
        }
    (project.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    assert project.run(*PHYS4D, "dvc", "sync").returncode == 0
    assert ran(project) == ["stage1", "stage2", "stage3", "report"]
    return project


def ran(project: Project) -> list[str]:
    """Bring the graph up to date; the stages that ran."""
    result = project.run(*DVC, "repro")
    assert result.returncode == 0, result.stderr + result.stdout
    return re.findall(r"Running stage '(\w+)'", result.stdout)


def test_a_stage_3_parameter_runs_stage_3_and_what_follows_only(chain: Project) -> None:
    chain.set(stage3__group_size=4)
    assert ran(chain) == ["stage3", "report"]
    assert ran(chain) == []


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        ("Path('params.yaml').write_text(Path('params.yaml').read_text().replace('group_size: 2', 'group_size: 4'))",
         "stage3 of params.yaml"),
        ("Path('components/files.py').open('a').write('# edited')", "components/files.py"),
    ],
    ids=["a parameter", "a module"],
)  # fmt: skip
def test_what_was_made_while_something_changed_is_not_recorded(chain: Project, edit: str, named: str) -> None:
    module = chain.root / "components/stages/stage3.py"
    once = f'    if not Path("edited").exists():\n        Path("edited").touch()\n        {edit}\n'
    module.write_text(module.read_text().replace("    return {}", f"{once}    return {{}}"))
    result = chain.run(*DVC, "repro", "stage3")
    assert result.returncode != 0
    assert f"stage3: changed while it ran: {named}: run it again" in result.stderr
    assert "stage3" in ran(chain)


def test_editing_evaluation_code_trains_nothing(chain: Project) -> None:
    with (chain.root / "components/evaluation/bootstrap.py").open("a") as file:
        file.write("# edited\n")
    assert ran(chain) == ["report"]


def test_an_unrelated_parameter_runs_nothing(chain: Project) -> None:
    chain.set(resources__processes=1, simulation__max_attempts=3)
    assert ran(chain) == []


def test_a_new_import_is_a_new_dependency_after_sync(chain: Project) -> None:
    module = chain.root / "components/stages/stage2.py"
    module.write_text(module.read_text().replace("import json\n", "import json\nimport components.geometry\n"))
    check = chain.run(*PHYS4D, "dvc", "sync", "--check")
    assert check.returncode == 1
    assert "stage2" in check.stderr
    assert chain.run(*PHYS4D, "dvc", "sync").returncode == 0
    assert ran(chain)[0] == "stage2"
    assert "components/geometry.py" in (chain.root / "dvc.yaml").read_text()
