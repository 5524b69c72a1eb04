"""A cluster whose pods are clones: each runs what its Job says, by the object storage alone."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.checkout import IMAGE_COMMIT
from components.parameters.profiles import profile_values
from components.storage.store import Storage
from tests.cluster.fake_api import FakeCluster, ended, serving
from tests.cluster.test_executor import kubeconfig
from tests.flows.toy import order
from tests.integration.clones import Origin, make_origin
from tests.integration.project import PHYS4D, SOURCE

IMAGE = "registry.example/phys4d:1.0"


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


@contextmanager
def nodes_of(
    root: Path, storage: Storage, patch: pytest.MonkeyPatch, *, executor: Mapping[str, str]
) -> Iterator[Nodes]:
    """The toy graph in git, in `root`, and a cluster for its clones. executor: which stages go there."""
    origin = make_origin(root, storage)
    shutil.copytree(SOURCE / "k8s", root / "k8s")
    shutil.copy(SOURCE / "prefect.yaml", root)
    size = profile_values("laptop")["cluster"]["pods"]["default"]
    origin.project.set(cluster__executor=dict(executor), cluster__image=IMAGE, cluster__pods={"default": size})
    patch.setenv(IMAGE_COMMIT, origin.commit())
    with serving() as cluster:
        patch.setenv("KUBECONFIG", str(kubeconfig(root.parent, cluster.url)))
        made = Nodes(origin, cluster)
        cluster.look = made.play  # type: ignore[method-assign]
        yield made
        for thread in made.threads.values():
            thread.join()
