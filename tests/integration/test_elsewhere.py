"""A whole run whose stages go to pods: a real flow, real object storage, and a cluster whose pods are clones."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.checkout import IMAGE_COMMIT
from components.cluster.hashes import dvc_hash
from components.storage.store import Storage
from tests.flows.toy import FLOW, attempts, lock_hashes, run_flow
from tests.integration.clones import Origin
from tests.integration.nodes import Nodes, nodes_of
from tests.integration.project import DVC, Project, wait_until

pytestmark = pytest.mark.slow
PODS = {"left": "kubernetes", "last": "kubernetes"}  # first and right run here


def recorded(project: Project) -> object:
    """What dvc.lock says, in whatever order."""
    return yaml.safe_load((project.root / "dvc.lock").read_text())


def make_older(project: Project, path: str) -> None:
    """Have other data at an out's path, which DVC keeps: what an earlier run left."""
    older = project.root / path
    older.parent.mkdir(parents=True, exist_ok=True)
    older.write_text("of an older entry")
    name = dvc_hash(older)
    kept = project.root / ".dvc/cache/files/md5" / name[:2] / name[2:]
    kept.parent.mkdir(parents=True)
    shutil.copy(older, kept)


@pytest.fixture
def nodes(tmp_path: Path, storage: Storage, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    with nodes_of(tmp_path / "origin", storage, monkeypatch, executor=PODS) as made:
        yield made


@pytest.fixture
def origin(nodes: Nodes) -> Origin:
    return nodes.origin


def test_a_run_in_pods_ends_as_one_here(origin: Origin, nodes: Nodes) -> None:
    caller, here = origin.clone("caller"), origin.clone("here")
    result = run_flow(caller)
    assert result.returncode == 0, result.stderr
    assert here.run(*DVC, "repro").returncode == 0
    assert recorded(caller) == recorded(here)
    assert caller.hashes("out") == here.hashes("out")
    assert attempts(caller) == {"first": 1, "right": 1}
    assert nodes.stages() == ["left", "last@wan22"]
    other = origin.clone("other")
    assert run_flow(other).returncode == 0
    assert len(nodes.cluster.created) == 2, "what was done for one driver is taken by another"
    assert other.hashes("out") == here.hashes("out")


def test_a_stopped_pod_is_followed_by_another_and_a_refused_one_is_not(origin: Origin, nodes: Nodes) -> None:
    nodes.orders = {"left": [[75], [65]]}
    caller = origin.clone("caller")
    result = run_flow(caller)
    assert result.returncode == 65, result.stderr
    assert "left: as ordered" in result.stderr.splitlines()[-1]
    assert [job["metadata"]["labels"]["phys4d/attempt"] for job in nodes.cluster.created] == ["1", "2"]


def test_a_driver_without_room_takes_the_entries_alone_and_the_data_of_what_runs_there(
    origin: Origin, nodes: Nodes
) -> None:
    pods = dict.fromkeys(("first", "left", "right"), "kubernetes")
    origin.project.set(cluster__bring="entry", cluster__executor=pods)
    os.environ[IMAGE_COMMIT] = origin.commit()
    caller = origin.clone("caller")
    make_older(caller, "out/left.json")
    result = run_flow(caller)
    assert result.returncode == 0, result.stderr
    assert sorted(nodes.stages()) == ["first", "left", "right"]
    assert attempts(caller) == {"last": 1}
    assert sorted(caller.hashes("out")) == ["last.json", "left.json", "right.json"]
    for path in ("out/left.json", "out/right.json"):
        assert dvc_hash(caller.root / path) in lock_hashes(caller)


def test_a_cancelled_run_deletes_its_job_and_the_same_command_goes_on(origin: Origin, nodes: Nodes) -> None:
    held = threading.Event()
    play = nodes.play

    def runs(name: str) -> None:
        job = nodes.cluster.jobs[name]
        if job["metadata"].get("deletionTimestamp"):
            nodes.cluster.jobs.pop(name)
        nodes.cluster.pod(name)
        held.set()

    nodes.cluster.look = runs  # type: ignore[method-assign]
    caller = origin.clone("caller")
    process = caller.start(*FLOW)
    wait_until(held.is_set)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate()
    assert process.returncode == 75, err
    assert len(nodes.cluster.deleted) == 1
    assert caller.processes() == []
    nodes.cluster.look = play  # type: ignore[method-assign]
    assert run_flow(caller).returncode == 0
