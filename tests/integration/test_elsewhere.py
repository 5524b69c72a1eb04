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
from components.parameters.profiles import profile_values
from components.storage.store import Storage
from tests.cluster.fake_api import FakeCluster, ended, serving
from tests.cluster.test_executor import kubeconfig
from tests.flows.toy import FLOW, attempts, lock_hashes, order, run_flow
from tests.integration.clones import Origin, make_origin
from tests.integration.project import PHYS4D, SOURCE, Project, wait_until

pytestmark = pytest.mark.slow
PODS = {"left": "kubernetes", "last": "kubernetes"}  # first and right run here


class Nodes:
    """Where the cluster's pods run: each in a clone of its own, from the first look at its Job on."""

    def __init__(self, origin: Origin, cluster: FakeCluster) -> None:
        self.origin, self.cluster = origin, cluster
        self.orders: dict[str, list[list[int]]] = {}  # by stage, the codes of each pod
        self.threads: dict[str, threading.Thread] = {}

    def play(self, name: str) -> None:
        """Start the pod of a Job, once."""
        if name not in self.threads:
            self.threads[name] = threading.Thread(target=self._run, args=(name,))
            self.threads[name].start()

    def _run(self, name: str) -> None:
        job = self.cluster.jobs[name]
        stage = job["metadata"]["annotations"]["phys4d/stage"]
        clone = self.origin.clone(f"pod-{name}")
        if self.orders.get(stage):
            order(clone, stage, *self.orders[stage].pop(0))
        container = job["spec"]["template"]["spec"]["containers"][0]
        told = [
            f"{one['name']}={one['value']}" for one in container["env"] if "PHYS4D" in one["name"] and "value" in one
        ]
        result = clone.run("env", *told, *PHYS4D, "pod", *container["args"])
        phase = "Failed" if result.returncode else "Succeeded"
        pod = self.cluster.pod(name, phase=phase, **ended(result.returncode, message=result.stderr.splitlines()[-1]))
        self.cluster.logs[pod] = result.stderr.splitlines()
        self.cluster.end(name, "Failed" if result.returncode else "Complete")

    def stages(self) -> list[str]:
        """The stages of the Jobs that were made."""
        return [job["metadata"]["annotations"]["phys4d/stage"] for job in self.cluster.created]


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
def origin(tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Origin:
    made = make_origin(tmp_path / "origin", storage)
    shutil.copytree(SOURCE / "k8s", made.project.root / "k8s")
    size = profile_values("laptop")["cluster"]["pods"]["default"]
    image = "registry.example/phys4d:1.0"
    made.project.set(cluster__executor=PODS, cluster__image=image, cluster__pods={"default": size})
    monkeypatch.setenv(IMAGE_COMMIT, made.commit())
    return made


@pytest.fixture
def nodes(origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    with serving() as cluster:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, cluster.url)))
        made = Nodes(origin, cluster)
        cluster.look = made.play  # type: ignore[method-assign]
        yield made
        for thread in made.threads.values():
            thread.join()


def test_a_run_in_pods_ends_as_one_here(origin: Origin, nodes: Nodes) -> None:
    caller, here = origin.clone("caller"), origin.clone("here")
    result = run_flow(caller)
    assert result.returncode == 0, result.stderr
    here.set(cluster__executor={})
    assert run_flow(here).returncode == 0
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
