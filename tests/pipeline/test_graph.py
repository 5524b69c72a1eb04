"""dvc.yaml: our reading is DVC's, and code dependencies are import closures."""

import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from components.errors import ParametersError
from components.pipeline.graph import GraphStage, find_stage, load_graph, stage_name
from components.pipeline.sync import outdated

ROOT = Path()


def stages_with_code(graph: dict[str, GraphStage], path: str) -> set[str]:
    return {stage.template for stage in graph.values() if path in stage.code}


def test_our_reading_of_the_graph_is_dvcs() -> None:
    ours = load_graph(ROOT)
    theirs = {stage.addressing: stage for stage in Repo().index.stages}
    assert list(ours) == list(theirs)
    for name, stage in ours.items():
        paths = {dep.def_path for dep in theirs[name].deps if dep.def_path != "params.yaml"}
        assert {*stage.inputs, *stage.code} == paths
        assert set(stage.outs) == {out.def_path for out in theirs[name].outs}


def test_code_dependencies_are_in_step_with_the_code() -> None:
    assert outdated(ROOT) == [], "run phys4d dvc sync"


def test_editing_evaluation_makes_no_data_and_trains_nothing_again() -> None:
    graph = load_graph(ROOT)
    touched = {
        stage for path in Path("components/evaluation").rglob("*.py") for stage in stages_with_code(graph, str(path))
    }
    assert touched == {"baselines"}


def test_params_and_the_mechanics_around_a_stage_are_nobodys_dependency() -> None:
    graph = load_graph(ROOT)
    mechanics = [Path("components/params.py"), Path("components/cli.py"), Path("components/progress.py")]
    for path in (*mechanics, *Path("components/pipeline").glob("*.py"), *Path("components/parameters").glob("*.py")):
        assert stages_with_code(graph, str(path)) == set(), f"editing {path} would run stages again"


def test_a_stage_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(ParametersError, match=r"no stage 'simulate@tran' in dvc.yaml, did you mean simulate@train\?"):
        find_stage(load_graph(ROOT), "simulate@tran")


@pytest.mark.parametrize(
    ("item", "name"),
    [({}, "report"), ({"split": "train"}, "report@train"), ({"split": "train", "part": "3"}, "report@train-3")],
)
def test_stage_names_are_dvcs_addresses(item: dict[str, str], name: str) -> None:
    assert stage_name("report", item) == name


@pytest.mark.parametrize("template", sorted({stage.template for stage in load_graph(ROOT).values()}))
def test_what_a_stage_imports_at_run_time_is_in_its_closure(template: str) -> None:
    harness = "import components.params, components.parameters.loader, components.pipeline.execution, components.cli;"
    script = (
        f"{harness} import sys; before = set(sys.modules); import components.stages.{template};"
        "new = {name: module for name, module in sys.modules.items() if name not in before};"
        "print('\\n'.join(module.__file__ for name, module in new.items() if name.startswith('components')))"
    )
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    loaded = {str(Path(line).relative_to(Path.cwd())) for line in output.split()}
    stage = next(stage for stage in load_graph(ROOT).values() if stage.template == template)
    assert loaded <= set(stage.code)
