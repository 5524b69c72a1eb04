"""Tracking and registry through a real MLflow server on loopback, files and all."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from components.registry.promotion import promote
from components.registry.versions import fetch
from components.tracked_run import stage_run
from components.tracking_buffer import buffers
from tests.registry.models import NAME, PROMOTION, make_metrics, make_model
from tests.tracked import make_database, metric_rows, runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("server")
    database = make_database(folder)
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", str(folder / "artifacts")]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=1):  # noqa: S310 -- loopback
                break
            time.sleep(0.1)
        yield folder, address
    finally:
        os.killpg(process.pid, 15)
        process.wait(timeout=30)


def test_runs_versions_and_files_go_through_a_server(
    server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = server
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    work = tmp_path / "work"
    with stage_run(tmp_path, name="stage1@wan22", profile="laptop", params={"seed": 0}, key="k", work=work) as run:
        for step in range(3):
            run.log({"loss": 1.0 / (step + 1)}, step)
    assert buffers(tmp_path) == []
    assert metric_rows(folder) == [("loss", step, 1.0 / (step + 1)) for step in range(3)]
    make_model(tmp_path)
    make_metrics(tmp_path)
    assert promote(tmp_path, backbone="wan22", profile="laptop", promotion=PROMOTION).champion == 1
    assert ("register@wan22", "FINISHED") in runs(folder)
    fetched = fetch(tmp_path, NAME, tmp_path / "champion")
    assert (fetched / "stage3/heads.safetensors").read_text() == "first stage3"
