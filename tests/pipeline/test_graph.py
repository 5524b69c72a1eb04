"""dvc.yaml: our reading is DVC's, and code dependencies are import closures."""

import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from components.errors import ParametersError
from components.parameters.backbones import Backbones
from components.parameters.loader import load_params
from components.pipeline.graph import GraphStage, find_stage, load_graph, stage_name
from components.pipeline.sync import outdated, sync, whole_packages
from components.simulation.catalogue import CATEGORY_NAMES

ROOT = Path()


def stages_with_code(graph: dict[str, GraphStage], path: str) -> set[str]:
    return {stage.template for stage in graph.values() if runs(stage, path)}


def runs(stage: GraphStage, path: str) -> bool:
    """Whether a module, or the package it is in, is among what a stage depends on."""
    return any(Path(path).is_relative_to(code) for code in stage.code)


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


WATCHED_THROUGH = {"__init__", "bootstrap", "chamfer", "colours", "noise"}  # what stage 3 may be ended by


def test_editing_evaluation_makes_no_data_and_trains_nothing_again() -> None:
    """But stage 3, where it is the instrument that watches it."""
    graph = load_graph(ROOT)
    touched = {str(path): stages_with_code(graph, str(path)) for path in Path("components/evaluation").rglob("*.py")}
    assert set().union(*touched.values()) == {"evaluate", "report", "stage3"}
    through = {path for path, stages in touched.items() if "stage3" in stages}
    assert through == {f"components/evaluation/{name}.py" for name in WATCHED_THROUGH}


def test_of_the_evaluations_parameters_stage_3_sees_the_sampler_alone() -> None:
    """Another number of resamples trains nothing again."""
    params = load_graph(ROOT)["stage3@wan22"].params
    assert [key for key in params if key.startswith("evaluation")] == ["evaluation.sampler_steps"]


def test_editing_a_backbone_trains_no_other_again() -> None:
    graph, of_the_graph = load_graph(ROOT), load_params(ROOT / "params.yaml").pipeline.backbones
    for name in Backbones.model_fields:
        touched = {stage.name for stage in graph.values() if f"components/backbones/{name}" in stage.code}
        stages = ("prepare", "encode", "stage1", "stage2", "stage3", "evaluate") if name in of_the_graph else ()
        assert touched == {f"{stage}@{name}" for stage in stages}
        assert {
            stage.name for stage in graph.values() if runs(stage, f"components/backbones/{name}/backbone.py")
        } == touched


def test_a_package_stands_for_its_modules_when_all_of_them_run(tmp_path: Path) -> None:
    for name in ("a/__init__.py", "a/one.py", "a/b/__init__.py", "a/b/two.py", "a/c/__init__.py", "a/c/d/three.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def shortened(*modules: str) -> list[str]:
        return [str(path) for path in whole_packages(map(Path, modules), tmp_path)]

    everything = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.py")]
    assert shortened(*everything) == ["a"]
    assert shortened(*set(everything) - {"a/one.py"}) == ["a/__init__.py", "a/b", "a/c"]
    assert shortened("a/b/two.py", "a/__init__.py") == ["a/__init__.py", "a/b/two.py"]
    assert shortened("a/c/__init__.py", "a/c/d/three.py", "a/b/__init__.py") == ["a/b/__init__.py", "a/c"]


def test_a_matrix_can_be_a_list_of_the_parameters(tmp_path: Path) -> None:
    write_graph(tmp_path, "stages: {a: {matrix: {x: '${some.names}'}, cmd: run}}\n")
    (tmp_path / "params.yaml").write_text("some: {names: [one, two]}\n")
    assert list(load_graph(tmp_path)) == ["a@one", "a@two"]
    (tmp_path / "params.yaml").write_text("some: {names: one}\n")
    with pytest.raises(ParametersError, match=r"params.yaml: some.names: 'one', expected a list of values of x"):
        load_graph(tmp_path)


def test_params_and_the_mechanics_around_a_stage_are_nobodys_dependency() -> None:
    graph = load_graph(ROOT)
    mechanics = [Path("components/params.py"), Path("components/cli.py"), Path("components/progress.py")]
    rooms = (Path("components", room) for room in ("pipeline", "parameters", "planning"))
    for path in (*mechanics, *(path for room in rooms for path in room.glob("*.py"))):
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


IMPORTS = """
import importlib, os, sys
import components.params, components.parameters.loader, components.pipeline.execution, components.cli
for library in ("diffusers.models.transformers", "great_expectations", "matplotlib.pyplot", "mlflow", "peft", "warp"):
    importlib.import_module(library)  # once; each stage is imported by a fork of this process, which knows none
before = set(sys.modules)
for template in sys.argv[1:]:
    if not os.fork():
        importlib.import_module(f"components.stages.{template}")
        new = [sys.modules[name].__file__ for name in sys.modules.keys() - before if name.startswith("components")]
        print(template, *new, flush=True)
        os._exit(0)
    assert os.wait()[1] == 0
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, list[str]]:
    """By stage, the modules of the project that it imports at run time."""
    templates = sorted({stage.template for stage in load_graph(ROOT).values()})
    command = [sys.executable, "-c", IMPORTS, *templates]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {template: paths for template, *paths in map(str.split, lines)}


@pytest.mark.parametrize("template", sorted({stage.template for stage in load_graph(ROOT).values()}))
def test_what_a_stage_imports_at_run_time_is_in_its_closure(template: str, imported: dict[str, list[str]]) -> None:
    loaded = {str(Path(path).relative_to(Path.cwd())) for path in imported[template]}
    assert f"components/stages/{template}.py" in loaded
    stage = next(stage for stage in load_graph(ROOT).values() if stage.template == template)
    assert {path for path in loaded if not runs(stage, path)} == set()


def write_graph(root: Path, text: str) -> None:
    (root / "dvc.yaml").write_text(text)
    (root / "params.yaml").write_text("seed: 0\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stages:\n", "dvc.yaml: stages: None, expected a mapping"),
        ("other: 1\n", "dvc.yaml: stages: None, expected a mapping"),
        ("stages: [a]\n", "dvc.yaml: stages: ['a'], expected a mapping"),
        ("stages: {a: }\n", "stage a: None, expected a name with a mapping of"),
        ("stages: {1: {}}\n", "stage 1: {}, expected a name with a mapping of"),
        ("stages: {a: {foreach: [1]}}\n", "stage a: unknown key 'foreach', expected one of"),
        ("stages: {a: {outs: x}}\n", "stage a: outs: 'x', expected a list"),
        ("stages: {a: {outs: [3]}}\n", "stage a: outs: 3, expected a path or {path: {option: value}}"),
        ("stages: {a: {outs: [{x: {}, y: {}}]}}\n", "stage a: outs: {'x': {}, 'y': {}}, expected a path"),
        ("stages: {a: {deps: [[x]]}}\n", "stage a: deps: ['x'], expected a path"),
        ("stages: {a: {params: [other.yaml: [x]]}}\n", "stage a: params: {'other.yaml': ['x']}, expected a dotted key"),
        ("stages: {a: {params: [params.yaml: ]}}\n", "stage a: params: {'params.yaml': None}, expected a dotted key"),
        ("stages: {a: {matrix: [1]}}\n", "stage a: matrix: [1], expected by their names lists"),
        (
            "stages: {a: {matrix: {x: some of them}}}\n",
            "stage a: matrix: {'x': 'some of them'}, expected by their names",
        ),
        ("stages: {a: {matrix: {x: 1}}}\n", "stage a: matrix: {'x': 1}, expected by their names lists"),
    ],
)
def test_a_broken_graph_names_the_stage_and_what_was_expected(tmp_path: Path, text: str, message: str) -> None:
    write_graph(tmp_path, text)
    for read in (load_graph, outdated):
        with pytest.raises(ParametersError) as error:
            read(tmp_path)
        assert message in str(error.value)


def test_entries_with_options_are_read(tmp_path: Path) -> None:
    write_graph(
        tmp_path,
        "stages:\n  a:\n    deps:\n    params: [seed, params.yaml: [video, x.y]]\n"
        "    outs: [data/x: {cache: false}, data/y: , data/z]\n    metrics: [m.json: {cache: false}]\n",
    )
    stage = load_graph(tmp_path)["a"]
    assert stage.inputs == ()
    assert stage.params == ("seed", "video", "x.y")
    assert stage.outs == ("data/x", "data/y", "data/z", "m.json")


def test_sync_keeps_data_with_options(tmp_path: Path) -> None:
    write_graph(tmp_path, "stages:\n  a:\n    deps:\n      - data/x: {frozen: true}\n      - gone.py\n")
    module = tmp_path / "components/stages/a.py"
    module.parent.mkdir(parents=True)
    module.touch()
    assert sync(tmp_path) == ["a"]
    assert outdated(tmp_path) == []
    stage = load_graph(tmp_path)["a"]
    assert (stage.inputs, stage.code) == (("data/x",), ("components/stages/a.py",))
    assert "frozen: true" in (tmp_path / "dvc.yaml").read_text()


def test_clips_are_made_again_when_the_ranges_of_any_category_change() -> None:
    tracked = set(load_graph(ROOT)["simulate@train"].params)
    assert {f"simulation.{category}" for category in CATEGORY_NAMES} <= tracked


def test_gates_keep_one_core_busy() -> None:
    single = {stage.template for stage in load_graph(ROOT).values() if stage.cores == 1}
    assert single == {"validate_simulation", "validate_pseudo_labels"}


@pytest.mark.parametrize("cores", ["0", "two", "true", "1.5"])
def test_cores_are_a_whole_number(tmp_path: Path, cores: str) -> None:
    (tmp_path / "params.yaml").write_text("seed: 0\n")
    (tmp_path / "dvc.yaml").write_text(f"stages:\n  gate:\n    cmd: gate\n    meta: {{cores: {cores}}}\n")
    with pytest.raises(ParametersError, match=r"stage gate: meta\.cores: .*expected a whole number above 0"):
        load_graph(tmp_path)
