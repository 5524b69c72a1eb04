"""What the doctor says of services: what is used is tried, and what is wrong comes with what to do about it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.doctor import services
from components.doctor.findings import Finding, State, page
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.params import Params
from tests.cluster.fake_api import FakeCluster, serving
from tests.cluster.test_executor import kubeconfig
from tests.dotted import set_fields

IN_PODS = {
    "cluster__executor": {"stage2": "kubernetes"},
    "cluster__image": "registry.example/phys4d:1.0",
    "storage__bucket": "bucket",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: MLflow takes seconds to make it, and as all services are tried before the one asked for."""
    return tmp_path_factory.mktemp("tracking") / "mlflow.db"


@pytest.fixture(autouse=True)
def surroundings(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    monkeypatch.setattr(services, "_storage", lambda *_: iter(()))  # tests/integration has a real one


def params(**changes: Any) -> Params:  # noqa: ANN401 -- values of params.yaml
    return parse_params(set_fields(profile_values("laptop"), **changes), source="params.yaml")


def found(root: Path, name: str, **changes: Any) -> Finding:  # noqa: ANN401
    return next(one for one in services.look(root, params(**changes)) if one.name == name)


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/health" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def nobody() -> str:
    """An address at which nothing listens."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_a_database_of_its_own_is_good(tmp_path: Path) -> None:
    assert found(tmp_path, "mlflow").state is State.GOOD


def test_a_tracking_server_that_is_gone_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", nobody().replace("//", "//me:hidden@"))
    mlflow = found(tmp_path, "mlflow")
    assert mlflow.state is State.BAD
    assert "hidden" not in mlflow.text
    assert "phys4d tracking sync" in mlflow.remedy


def test_prefect_is_tried_where_its_address_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(tmp_path, "prefect").state is State.UNUSED
    for body, expected in ((b"true", State.GOOD), (b"false", State.BAD)):
        with answering(body) as address:
            monkeypatch.setenv("PREFECT_API_URL", address)
            assert found(tmp_path, "prefect").state is expected
    for address in (f"{nobody()}/api", "localhost:4200"):
        monkeypatch.setenv("PREFECT_API_URL", address)
        assert found(tmp_path, "prefect").state is State.BAD


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    with serving() as made:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, made.url)))
        yield made


def test_a_cluster_is_asked_for_every_verb_an_executor_uses(tmp_path: Path, cluster: FakeCluster) -> None:
    assert found(tmp_path, "cluster").state is State.UNUSED
    assert found(tmp_path, "cluster", **IN_PODS).state is State.GOOD
    cluster.allowed = lambda asked: (asked["verb"], asked["resource"]) not in {("delete", "jobs"), ("get", "pods")}
    refused = found(tmp_path, "cluster", **IN_PODS)
    assert (refused.state, refused.text) == (
        State.BAD,
        "in namespace phys4d not allowed: delete jobs, get pods/log",
    )


def test_what_is_asked_is_what_the_role_of_a_driver_allows() -> None:
    import yaml

    documents = yaml.safe_load_all(Path("k8s/10-accounts.yaml").read_text())
    (role,) = (one for one in documents if one["kind"] == "Role" and one["metadata"]["name"] == "driver")
    for verb, group, resource, inner in services.ROLE:
        full = f"{resource}/{inner}" if inner else resource
        assert any(
            verb in rule["verbs"] and group in rule["apiGroups"] and full in rule["resources"] for rule in role["rules"]
        ), (verb, full)


def test_a_cluster_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, nobody())))
    gone = found(tmp_path, "cluster", **IN_PODS)
    assert gone.state is State.BAD
    assert "out of reach" in gone.text


def test_an_image_that_is_a_tag_is_a_note(tmp_path: Path, cluster: FakeCluster) -> None:
    assert found(tmp_path, "image", **IN_PODS).state is State.NOTE
    pinned = f"registry.example/phys4d@sha256:{'0' * 64}"
    assert all(one.name != "image" for one in services.look(tmp_path, params(**{**IN_PODS, "cluster__image": pinned})))


def test_the_page_has_what_to_do_below_what_is_wrong() -> None:
    lines = page(
        [
            Finding(name="disk", state=State.GOOD, text="9 GB free"),
            Finding(name="prefect", state=State.BAD, text="gone", remedy="start it"),
        ]
    ).splitlines()
    assert lines == ["good    disk     9 GB free", "bad     prefect  gone", "                 -> start it"]
