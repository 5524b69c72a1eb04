"""The screen of phys4d status: what runs, what ended badly, and what MLflow knows, each in its part."""

from pathlib import Path

import pytest

from components.canonical import canonical_json
from components.locks import exclusive
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.pipeline.execution import lock_path, record_path
from components.pipeline.graph import load_graph
from components.registry.lock import SUFFIX
from components.registry.versions import registry
from components.status import Line, lines, screen

LAPTOP = parse_params(profile_values("laptop"), source="laptop")
GRAPH = load_graph(Path())


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")


def parts(root: Path) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for line in lines(root, LAPTOP, GRAPH):
        found.setdefault(line.part, []).append((line.name, line.text))
    return found


def end(root: Path, name: str, code: int, cause: str = "") -> None:
    path = record_path(root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(canonical_json({"stage": name, "code": code, "cause": cause}))


def test_where_nothing_was_run_it_says_what_to_do(tmp_path: Path) -> None:
    assert screen(list(lines(tmp_path, LAPTOP, GRAPH))) == "nothing runs, nothing was run: phys4d run"


def test_a_stage_that_runs_and_one_that_ended_badly_are_named_and_a_good_one_is_not(tmp_path: Path) -> None:
    end(tmp_path, "latents", 0)
    end(tmp_path, "stage1@wan22", 75, "stopped at step 3 of 80")
    end(tmp_path, "stage2@wan22", 1, "no")
    with exclusive(lock_path(tmp_path, "stage2@wan22"), "stage2@wan22"):
        found = parts(tmp_path)
    assert found["ended badly"] == [("stage1@wan22", "stopped, can go on: stopped at step 3 of 80")]
    assert [name for name, _ in found["runs here"]] == ["stage2@wan22"]


def test_runs_and_models_are_those_of_mlflow(tmp_path: Path) -> None:
    with registry(tmp_path) as client:
        experiment = client.create_experiment("phys4d/laptop")
        tags = {
            "kind": "pipeline",
            "pipeline_id": "20260101-aa",
            "verdict_wan22": "phys4d-wan22-tiny version 1: promoted: x",
        }
        client.set_terminated(client.create_run(experiment, tags=tags).info.run_id)
        client.create_run(experiment, tags={"kind": "stage"})
        client.create_registered_model("phys4d-wan22-tiny")
        client.create_registered_model("someone-elses")
        client.create_registered_model(f"phys4d-wan22-tiny{SUFFIX}")  # a promotion that runs
    found = parts(tmp_path)
    ((name, text),) = found["last runs"]
    assert name == "20260101-aa"
    assert text.startswith("laptop, ")
    assert text.endswith("finished: phys4d-wan22-tiny version 1: promoted")
    assert found["models"] == [("phys4d-wan22-tiny", "no champion yet")]


def test_parts_have_their_lines_below_them() -> None:
    text = screen(
        [Line(part="a", name="x", text="1"), Line(part="a", name="long", text="2"), Line(part="b", name="y", text="3")]
    )
    assert text.splitlines() == ["a", "  x     1", "  long  2", "", "b", "  y     3"]
