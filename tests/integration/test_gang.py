"""A stage that two pods train together, as the containers of its Job start: by the object storage alone."""

import os
import signal
import subprocess
from dataclasses import replace

import pytest

from components.checkout import IMAGE_COMMIT
from components.cluster.dvc import dvc
from components.cluster.restore import restore_data
from components.cluster.templates import render
from components.errors import ExitCode
from components.storage.store import Storage
from components.tracking_buffer import FOLDER
from tests.cluster.objects import GANG
from tests.integration.clones import Origin, git, published
from tests.integration.project import Project, finished_smoke, wait_until
from tests.servers.ceph_daemons import free_port

pytestmark = pytest.mark.long
STAGE, RUN, STEPS = "prepare@wan22", "20260102-030405-abcdef", 120


@pytest.fixture
def origin(tmp_path_factory: pytest.TempPathFactory, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Origin:
    project = finished_smoke(tmp_path_factory, "gang")
    project.set(prepare__steps=STEPS)
    made = published(project, storage)
    monkeypatch.setenv(IMAGE_COMMIT, git(project.root, "rev-parse", "HEAD").strip())
    dvc(project.root, "push", "latents", "simulate@appearance", "validate_simulation@appearance")
    made.folder(RUN).publish(project.root)
    return made


def start(origin: Origin, name: str, index: int, port: int) -> tuple[Project, subprocess.Popen[str]]:
    """The pod of an index of the gang's Job, in a clone of its own; the place where they meet is here."""
    (job,) = (one for one in render(replace(GANG, stage=STAGE, run=RUN, nodes=2, gpus=0)) if one["kind"] == "Job")
    container = job["spec"]["template"]["spec"]["containers"][0]
    told = {one["name"]: one["value"] for one in container["env"] if one["name"].startswith("PET_") and "value" in one}
    told |= {"PET_NODE_RANK": str(index), "JOB_COMPLETION_INDEX": str(index), "PET_MASTER_ADDR": "127.0.0.1"}
    told |= {"PET_MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    clone = origin.clone(name)
    words = [f"{key}={value}" for key, value in told.items()]
    return clone, clone.start("env", *words, *container["command"], *container["args"])


def test_a_gang_that_loses_a_pod_publishes_nothing_and_another_ends_as_a_stage(origin: Origin) -> None:
    port = free_port()
    leading, first = start(origin, "first", 0, port)
    other, second = start(origin, "second", 1, port)
    wait_until(lambda: any('"step": 3,' in file.read_text() for file in leading.root.glob(f"{FOLDER}/*.jsonl")))
    os.killpg(second.pid, signal.SIGKILL)
    second.communicate()
    _, err = first.communicate()
    assert first.returncode == ExitCode.FAILED, err
    assert origin.folder(RUN).entry(STAGE) is None
    port = free_port()
    again = [start(origin, f"again-{index}", index, port)[1] for index in (0, 1)]
    messages = [process.communicate()[1] for process in again]
    assert [process.returncode for process in again] == [0, 0], messages
    restore_data(origin.project.root, origin.folder(RUN), STAGE)
    assert len((origin.project.root / "models/wan22/base/losses.csv").read_text().splitlines()) == STEPS + 1
    assert not (other.root / "models/wan22").exists()
