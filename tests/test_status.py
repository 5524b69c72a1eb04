"""The screen of phys4d status: what runs, what ended badly, and what MLflow knows, each in its part."""

from dataclasses import replace
from pathlib import Path

import pytest

from components.canonical import canonical_json
from components.cluster.templates import JobRequest, render
from components.locks import exclusive
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.params import Params
from components.pipeline.execution import lock_path, record_path
from components.pipeline.graph import load_graph
from components.registry.lock import SUFFIX
from components.registry.versions import registry
from components.status import Line, lines, screen
from tests.cluster.fake_api import FakeCluster, ended, serving
from tests.cluster.test_executor import REQUEST, kubeconfig
from tests.dotted import set_fields
from tests.servers.ceph_daemons import free_port
from tests.tracked import make_database

LAPTOP = parse_params(profile_values("laptop"), source="laptop")
GRAPH = load_graph(Path())


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{make_database(tmp_path)}")  # to make one takes seconds


def parts(root: Path, params: Params = LAPTOP) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for line in lines(root, params, GRAPH):
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


def with_pods() -> Params:
    values = profile_values("laptop")
    set_fields(values, cluster__executor={"stage1": "kubernetes"}, storage__bucket="data")
    return parse_params(values, source="a test")


def start_job(cluster: FakeCluster, request: JobRequest) -> str:
    (job,) = render(request)
    name: str = job["metadata"]["name"]
    cluster.jobs[name] = {**job, "status": {}}
    return name


def test_jobs_are_shown_with_their_attempts_and_how_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as cluster:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, cluster.url)))
        first = start_job(cluster, REQUEST)
        cluster.pod(first, phase="Failed", **ended(65, message="phys4d: 3 clips are wrong"))
        cluster.end(first, "Failed", reason="PodFailurePolicy", message="")
        cluster.pod(start_job(cluster, replace(REQUEST, attempt=2, run="another")))
        foreign = start_job(cluster, replace(REQUEST, attempt=3))
        cluster.jobs[foreign]["metadata"]["labels"]["app.kubernetes.io/part-of"] = "another"
        found = parts(tmp_path, with_pods())
    ((_, ended_badly), (stage, runs)) = found["in pods"]
    assert (stage, runs) == ("stage1@wan22", "attempt 2: running, runs")
    assert ended_badly == "attempt 1: failed, 3 clips are wrong"


def test_a_cluster_out_of_reach_is_said_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, f"http://127.0.0.1:{free_port()}")))
    ((name, text),) = parts(tmp_path, with_pods())["in pods"]
    assert name == "cluster"
    assert "the cluster is out of reach, to list Jobs" in text


def test_parts_have_their_lines_below_them() -> None:
    text = screen(
        [Line(part="a", name="x", text="1"), Line(part="a", name="long", text="2"), Line(part="b", name="y", text="3")]
    )
    assert text.splitlines() == ["a", "  x     1", "  long  2", "", "b", "  y     3"]
