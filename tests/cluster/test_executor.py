"""A stage in a pod, from the request to the last line of its log, on an API server that plays every phase of it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.cluster import executor
from components.cluster.client import ClusterClient, ClusterError
from components.cluster.executor import Executor
from components.cluster.templates import JobRequest, render
from components.errors import GateRefusedError, ParametersError, Phys4dError, StoppedError
from tests.cluster.fake_api import FakeCluster, ended, serving, waiting

REQUEST = JobRequest(
    stage="stage1@wan22",
    run="wan22-0123456789",
    pipeline="20260101-000000-abcdef",
    attempt=1,
    commit="a" * 40,
    image="registry.example/phys4d:1.0",
    storage="s3://bucket/prefix",
    cpu="8",
    memory="64Gi",
    scratch="100Gi",
    shared_memory="8Gi",
    deadline_seconds=3600,
    backbone="wan22",
    gpus=1,
)


def kubeconfig(folder: Path, url: str) -> Path:
    """A file that names one server, in whose context `test` we are."""
    place = {"cluster": "here", "user": "me", "namespace": "phys4d"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "users": [{"name": "me", "user": {"token": "secret-token"}}],
        "contexts": [{"name": "test", "context": place}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    with serving() as made:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, made.url)))
        yield made


class Driver:
    """An executor whose lines are kept."""

    def __init__(self) -> None:
        self.stopping, self.leaving = threading.Event(), threading.Event()
        self.said: list[str] = []
        api = ClusterClient("phys4d", "test")
        self.executor = Executor(
            api=api, stopping=self.stopping, leaving=self.leaving, say=self.said.append, look_every=0.001
        )

    def run(self, request: JobRequest = REQUEST) -> None:
        self.executor.run(request)


def test_a_job_that_completes_is_a_stage_that_is_done(cluster: FakeCluster) -> None:
    def begins(name: str) -> None:
        cluster.logs[cluster.pod(name)] = ["stage1@wan22: 1/80 steps", "stage1@wan22: 80/80 steps"]

    cluster.script = [lambda _: None, begins, lambda name: cluster.end(name, "Complete")]
    driver = Driver()
    driver.run()
    (made,) = cluster.created
    assert made["metadata"]["labels"]["phys4d/run"] == REQUEST.run
    assert made["metadata"]["labels"]["phys4d/attempt"] == "1"
    lines = ["stage1@wan22: 1/80 steps", "stage1@wan22: 80/80 steps"]
    assert [line for line in driver.said if line not in lines] == [
        f"Job {REQUEST.name}, attempt 1",
        "waits for its pod",
        "runs",
    ]
    assert [line for line in driver.said if line in lines] == lines  # the log is read beside
    assert cluster.deleted == []


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (ended(65, message="7/80 steps\nphys4d: 3 clips are empty\n"), GateRefusedError, "^3 clips are empty$"),
        (ended(65, message="7/80 steps\n"), GateRefusedError, "exited with 65"),
        (ended(75), StoppedError, "exited with 75"),
        (ended(78), ParametersError, "exited with 78"),
        (ended(1), Phys4dError, "exited with 1"),
        (ended(137), StoppedError, "was killed"),
        (ended(137, reason="OOMKilled"), Phys4dError, r"out of memory: raise memory in cluster\.pods"),
        ({"reason": "DeadlineExceeded"}, Phys4dError, r"raise it"),
        ({"reason": "Evicted", "message": "low on disk"}, StoppedError, "taken away"),
        (
            {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]},
            StoppedError,
            r"taken away \(PreemptionByScheduler\)",
        ),
    ],
)
def test_a_job_that_fails_ends_as_its_pod_did(
    cluster: FakeCluster, status: dict[str, Any], error: type[Phys4dError], message: str
) -> None:
    def fails(name: str) -> None:
        cluster.pod(name, phase="Failed", **status)
        cluster.end(name, "Failed", reason="BackoffLimitExceeded", message="Job has reached the specified limit")

    cluster.script = [fails]
    with pytest.raises(error, match=message) as caught:
        Driver().run()
    assert type(caught.value) is error


def test_a_job_without_a_pod_to_ask_fails_in_the_servers_words(cluster: FakeCluster) -> None:
    cluster.script = [lambda name: cluster.end(name, "Failed", reason="BackoffLimitExceeded", message="the limit")]
    with pytest.raises(Phys4dError, match=r"its Job failed: BackoffLimitExceeded: the limit"):
        Driver().run()


def test_a_gang_ends_as_the_rank_that_failed(cluster: FakeCluster) -> None:
    def fails(name: str) -> None:
        cluster.pod(name, index=0, phase="Failed", **ended(1))
        cluster.pod(name, index=1, phase="Failed", conditions=[{"type": "DisruptionTarget", "status": "True"}])
        told = f"Pod phys4d/{name}-1-abcde has condition DisruptionTarget matching FailJob rule at index 1"
        cluster.pods.pop(f"{name}-1-abcde")  # as the real controller has it: evicted is deleted
        cluster.end(name, "Failed", reason="PodFailurePolicy", message=told)

    cluster.script = [fails]
    with pytest.raises(StoppedError, match="1-abcde was taken away"):
        Driver().run(replace(REQUEST, nodes=2))


def test_ranks_that_were_stopped_are_not_what_a_gang_failed_by(cluster: FakeCluster) -> None:
    def fails(name: str) -> None:
        refused = cluster.pod(name, index=1, phase="Failed", **ended(65, message="phys4d: a clip is empty"))
        cluster.pod(name, index=0, turn=1, deleted=True, phase="Failed", **ended(75))
        told = f"Container stage for pod phys4d/{refused} failed with exit code 65 matching FailJob rule at index 0"
        cluster.end(name, "Failed", reason="PodFailurePolicy", message=told)

    cluster.script = [fails]
    with pytest.raises(GateRefusedError, match="a clip is empty"):
        Driver().run(replace(REQUEST, nodes=2))


def test_what_the_last_pod_failed_by_counts_though_the_first_was_taken_away(cluster: FakeCluster) -> None:
    def fails(name: str) -> None:
        cluster.pod(name, phase="Failed", reason="Evicted")
        cluster.pod(name, turn=1, phase="Failed", **ended(65, message="phys4d: a clip is empty"))
        cluster.end(name, "Failed", reason="BackoffLimitExceeded", message="Job has reached the specified limit")

    cluster.script = [fails]
    with pytest.raises(GateRefusedError, match="a clip is empty"):
        Driver().run()


def test_a_field_that_there_is_not_is_refused_before_it_is_lost(cluster: FakeCluster) -> None:
    (document,) = render(REQUEST)
    document["spec"]["template"]["spec"]["nodeSelectr"] = {"kind": "gpu"}
    with pytest.raises(ParametersError, match=r"spec\.template\.spec\.nodeSelectr: Extra inputs are not permitted"):
        ClusterClient("phys4d", "test").create_job(document)
    assert cluster.created == []


def test_a_server_that_has_not_read_its_roles_yet_is_asked_again(cluster: FakeCluster) -> None:
    cluster.refuses = [403, 403]
    cluster.script = [lambda name: cluster.end(name, "Complete")]
    driver = Driver()
    driver.run()
    assert sum("looks again" in line for line in driver.said) == 2
    cluster.jobs.clear()
    cluster.refuses = [403] * 5
    with pytest.raises(ParametersError, match="403"):
        Driver().run()


def test_why_a_pod_cannot_be_made_is_said(cluster: FakeCluster) -> None:
    cluster.refusals = [f'Error creating: pods "x-{end}" is forbidden: exceeded quota: phys4d' for end in "ab"]
    cluster.script = [lambda _: None, lambda _: None, lambda name: cluster.end(name, "Complete")]
    driver = Driver()
    driver.run()
    assert driver.said.count("waits for its pod: exceeded quota: phys4d") == 1


def test_a_full_quota_of_jobs_is_no_mistake_of_the_users(cluster: FakeCluster) -> None:
    cluster.full = "exceeded quota: phys4d, requested: count/jobs.batch=1, used: count/jobs.batch=200"
    with pytest.raises(ClusterError, match="exceeded quota"):
        Driver().run()


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "CreateContainerConfigError", "InvalidImageName"])
def test_what_can_never_begin_fails_in_the_kubelets_words_and_leaves_no_job(cluster: FakeCluster, reason: str) -> None:
    said = 'secret "s3" not found'
    cluster.script = [lambda name: cluster.pod(name, phase="Pending", **waiting(reason, said))]
    with pytest.raises(ParametersError, match=f'{reason}: secret "s3" not found'):
        Driver().run()
    assert cluster.deleted == [REQUEST.name]


def test_to_wait_for_a_gpu_is_no_failure(cluster: FakeCluster) -> None:
    why = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."

    def waits(name: str) -> None:
        unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
        cluster.pod(name, phase="Pending", conditions=[unscheduled])

    cluster.script = [*[waits] * 40, lambda name: cluster.end(name, "Complete")]
    driver = Driver()
    driver.run()
    assert driver.said.count(f"waits for a node: {why}") == 1


def test_an_image_is_pulled_again_before_it_is_given_up(cluster: FakeCluster) -> None:
    def pulls(name: str) -> None:
        cluster.pod(name, phase="Pending", **waiting("ErrImagePull", "connection reset"))

    cluster.script = [pulls, pulls, lambda name: cluster.end(name, "Complete")]
    Driver().run()


def test_a_driver_that_was_started_again_goes_on_with_the_job_that_is_there(cluster: FakeCluster) -> None:
    def dies(line: str) -> None:
        raise KeyboardInterrupt(line)  # as soon as it has made the Job

    with pytest.raises(KeyboardInterrupt, match="attempt 1"):
        replace(Driver().executor, say=dies).run(REQUEST)
    cluster.script = [lambda name: cluster.end(name, "Complete")]
    driver = Driver()
    driver.run()
    assert len(cluster.created) == 1
    assert driver.said[0] == f"goes on with Job {REQUEST.name}, which is there"


def test_after_a_failed_attempt_comes_another_of_its_own_name(cluster: FakeCluster) -> None:
    def fails(name: str) -> None:
        cluster.pod(name, phase="Failed", **ended(75))
        cluster.end(name, "Failed")

    cluster.script = [fails, lambda name: cluster.end(name, "Complete")]
    with pytest.raises(StoppedError):
        Driver().run()
    Driver().run()
    first, second = cluster.created
    assert second["metadata"]["labels"]["phys4d/attempt"] == "2"
    assert first["metadata"]["name"] != second["metadata"]["name"]


def test_a_job_that_completed_before_it_was_asked_for_is_not_made_again(cluster: FakeCluster) -> None:
    cluster.script = [lambda name: cluster.end(name, "Complete")]
    Driver().run()
    Driver().run()
    assert len(cluster.created) == 1


def test_to_stop_deletes_the_job_and_waits_until_its_pods_have_saved(cluster: FakeCluster) -> None:
    driver = Driver()

    def runs(name: str) -> None:
        cluster.logs[cluster.pod(name)] = ["step 1"]
        driver.stopping.set()

    def gone(name: str) -> None:
        cluster.jobs.pop(name)

    cluster.script = [runs, lambda _: None, gone]
    with pytest.raises(StoppedError, match=r"stopped; its Job .* is gone, what it saved is kept"):
        driver.run()
    assert cluster.deleted == [REQUEST.name]
    assert "step 1" in driver.said


def test_a_driver_that_is_followed_by_another_leaves_the_job_to_it(cluster: FakeCluster) -> None:
    first, second = Driver(), Driver()

    def runs(name: str) -> None:
        cluster.pod(name)
        first.leaving.set()
        first.stopping.set()

    cluster.script = [runs]
    with pytest.raises(StoppedError, match=r"Job .* goes on, the next driver finds it"):
        first.run()
    cluster.script = [lambda name: cluster.end(name, "Complete")]
    second.run()
    assert len(cluster.created) == 1
    assert cluster.deleted == []
    assert second.said[0] == f"goes on with Job {REQUEST.name}, which is there"


def test_a_job_that_somebody_deleted_says_so(cluster: FakeCluster) -> None:
    cluster.script = [cluster.jobs.pop]
    with pytest.raises(Phys4dError, match="was deleted by somebody else"):
        Driver().run()


def test_every_line_of_the_log_is_said_once_though_the_connection_breaks(cluster: FakeCluster) -> None:
    lines = [f"step {number}" for number in range(20)]

    def runs(name: str) -> None:
        cluster.logs[cluster.pod(name)] = lines

    cluster.drops = [3, 0, 11]
    cluster.script = [runs, *[lambda _: None] * 20, lambda name: cluster.end(name, "Complete")]
    driver = Driver()
    driver.run()
    assert [line for line in driver.said if line.startswith("step")] == lines


def test_an_api_server_that_falters_is_asked_again(cluster: FakeCluster) -> None:
    cluster.refuses = [500, 503, 500]
    cluster.script = [lambda name: cluster.end(name, "Complete")]
    driver = Driver()
    driver.run()
    assert sum("looks again" in line for line in driver.said) == 3


def test_an_api_server_that_is_gone_is_given_up_and_its_token_not_told(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "OUT_OF_REACH", 10)
    cluster.refuses = [503] * 10
    with pytest.raises(ClusterError, match="503 etcd leader changed") as caught:
        Driver().run()
    assert "secret-token" not in str(caught.value)


def test_what_the_role_allows_is_asked_of_the_server(cluster: FakeCluster) -> None:
    cluster.allowed = lambda asked: asked == {
        "namespace": "phys4d", "verb": "create", "group": "batch", "resource": "jobs",
    }  # fmt: skip
    api = ClusterClient("phys4d", "test")
    assert api.may("create", "jobs", group="batch")
    assert not api.may("get", "pods", subresource="log")


def test_a_context_that_is_not_there_says_what_to_do(cluster: FakeCluster) -> None:
    with pytest.raises(ParametersError, match=r"cluster\.context: other: .*kubectl config get-contexts"):
        ClusterClient("phys4d", "other")
