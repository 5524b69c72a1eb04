"""A stage that runs elsewhere: clones that share a bucket alone end with the same dvc.lock and the same data."""

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from components.checkout import IMAGE_COMMIT
from components.cluster.dvc import dvc, use_remote
from components.cluster.entry import parse_entry
from components.cluster.restore import merge, restore_data, restore_entry
from components.errors import ExitCode, ParametersError, Phys4dError
from components.storage.store import Storage
from tests.flows.toy import attempts, order, run_flow
from tests.integration.clones import FIRST, Origin, git, make_origin
from tests.integration.project import DVC, PHYS4D, Project, wait_until
from tests.servers.ceph_daemons import free_port
from tests.servers.proxy import Cut, Hold, Outage, Proxy
from tests.tracked import metric_rows, runs

pytestmark = pytest.mark.slow

STAGES = ("first", "left", "right", "last@wan22")
LAST = "last@wan22"
RUN = "20260102-030405-abcdef"
LARGE = 60 * 2**20  # bytes; DVC's client fetches files above 50 MiB in parts


@pytest.fixture
def origin(tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Origin:
    made = make_origin(tmp_path / "origin", storage)
    monkeypatch.setenv(IMAGE_COMMIT, git(made.project.root, "rev-parse", "HEAD").strip())
    return made


def lock(project: Project) -> bytes:
    return (project.root / "dvc.lock").read_bytes()


def test_a_run_elsewhere_ends_as_one_here_with_the_data_or_without(origin: Origin) -> None:
    here, with_data, without = origin.clone("here"), origin.clone("with"), origin.clone("without")
    folder = origin.folder(RUN)
    for stage in STAGES:
        assert here.stage(stage).returncode == 0
        folder.publish(with_data.root)
        pod, result = origin.pod(stage, RUN)
        assert result.returncode == 0, result.stderr
        assert sum(attempts(pod).values()) == 1  # what it reads was fetched, not made
        restore_data(with_data.root, folder, stage)
        restore_entry(without.root, folder, stage)
    assert lock(with_data) == lock(without) == lock(here)
    assert with_data.hashes("out") == here.hashes("out")
    assert not (without.root / "out").exists()
    assert json.loads(dvc(with_data.root, "status", "--json")) == {}
    dvc(without.root, "repro", "--allow-missing")
    assert attempts(with_data) == attempts(without) == {}
    assert lock(without) == lock(here)


def test_dvc_itself_restores_what_a_pod_did_from_the_run_cache(origin: Origin) -> None:
    caller = origin.clone("caller")
    origin.folder(RUN).publish(caller.root)
    pod, result = origin.pod("first", RUN)
    assert result.returncode == 0, result.stderr
    use_remote(caller.root, origin.storage)
    dvc(caller.root, "repro", "--single-item", "--pull", "first")
    assert attempts(caller) == {}
    assert lock(caller) == lock(pod)
    assert caller.hashes("out") == pod.hashes("out")


def test_a_second_clone_restores_everything_and_trains_nothing(origin: Origin) -> None:
    first = origin.clone("one")
    use_remote(first.root, origin.storage)
    result = run_flow(first)
    assert result.returncode == 0, result.stderr
    dvc(first.root, "push", "--run-cache")
    git(origin.project.root, "fetch", "--quiet", str(first.root))
    (origin.project.root / "dvc.lock").write_bytes(lock(first))
    origin.commit()
    second = origin.clone("two")
    use_remote(second.root, origin.storage)
    assert second.run(*DVC, "pull").returncode == 0
    again = run_flow(second)
    assert again.returncode == 0, again.stderr
    assert "everything is up to date" in again.stderr
    assert attempts(second) == {}
    assert second.hashes("out") == first.hashes("out")


def test_a_pod_does_not_do_again_what_another_has_published(origin: Origin) -> None:
    origin.folder(RUN).publish(origin.project.root)
    origin.pod("first", RUN)
    pod, result = origin.pod("first", RUN)
    assert result.returncode == 0
    assert "an earlier pod" in result.stderr
    assert attempts(pod) == {}


@pytest.mark.parametrize("code", [ExitCode.FAILED, ExitCode.GATE_REFUSED])
def test_a_pod_ends_as_its_stage_does_and_publishes_nothing_then(origin: Origin, code: ExitCode) -> None:
    origin.folder(RUN).publish(origin.project.root)
    pod = origin.clone("pod")
    order(pod, "first", int(code))
    result = pod.run(*PHYS4D, "pod", "first", "--run", RUN)
    assert result.returncode == code
    assert result.stderr.splitlines()[-1] == "phys4d: first: as ordered"
    assert origin.folder(RUN).entry("first") is None


def test_a_stopped_pod_ends_with_75_and_another_one_goes_on_from_its_work(origin: Origin) -> None:
    folder = origin.folder(RUN)
    folder.publish(origin.project.root)
    pod = origin.clone("pod")
    order(pod, "first", "wait")
    process = pod.start(*PHYS4D, "pod", "first", "--run", RUN)
    wait_until(lambda: list(pod.root.glob(".phys4d/progress/first/*/kept")))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate()
    assert process.returncode == ExitCode.STOPPED, err
    assert pod.processes() == []
    other, result = origin.pod("first", RUN)
    assert result.returncode == 0, result.stderr
    assert (other.root / "first.resumed").exists()
    assert origin.storage.keys("progress/") == []


def test_another_pod_goes_on_from_the_work_of_one_that_was_lost_without_a_word(origin: Origin) -> None:
    origin.project.set(cluster__keep_minutes=0.005)
    origin.folder(RUN).publish(origin.project.root)
    pod = origin.clone("pod")
    order(pod, "first", "wait")
    process = pod.start(*PHYS4D, "pod", "first", "--run", RUN)
    wait_until(lambda: [key for key in origin.storage.keys("progress/") if key.endswith("manifest.json")])
    process.kill()
    process.communicate()
    wait_until(lambda: pod.processes() == [])
    other, result = origin.pod("first", RUN)
    assert result.returncode == 0, result.stderr
    assert (other.root / "first.resumed").exists()
    assert origin.storage.keys("progress/") == []


def test_figures_that_mlflow_did_not_take_wait_for_the_next_pod_and_for_the_caller(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, folder = origin.clone("caller"), origin.folder(RUN)
    for stage in ("first", "left", "right"):
        assert caller.stage(stage).returncode == 0
    dvc(caller.root, "push", "left", "right")
    folder.publish(caller.root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")  # where nobody answers
    pod = origin.clone("pod")
    order(pod, "last", "log-and-stop")
    result = pod.run(*PHYS4D, "pod", LAST, "--run", RUN)
    assert result.returncode == ExitCode.STOPPED, result.stderr
    other, result = origin.pod(LAST, RUN)
    assert result.returncode == 0, result.stderr
    assert "MLflow at http://127.0.0.1" in result.stderr
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    folder.figures(LAST, caller.root).collect()
    assert caller.run(*PHYS4D, "tracking", "sync").returncode == 0
    assert runs(caller.root) == [(RUN, "RUNNING"), ("last@wan22", "FINISHED")], "one run of both pods"
    assert {("before", 0, 1.0), ("loss", 0, 0.5)} <= set(metric_rows(caller.root))
    assert runs(pod.root) == runs(other.root) == []
    assert origin.storage.keys(f"runs/{RUN}/figures/") == []


def test_a_stage_is_published_only_when_its_data_are_in_the_storage(origin: Origin) -> None:
    origin.folder(RUN).publish(origin.project.root)
    pod = origin.clone("pod")
    dvc(pod.root, "remote", "add", "--local", "--default", "own", "s3://nowhere-to-be-found")
    dvc(pod.root, "remote", "modify", "--local", "own", "endpointurl", str(origin.storage.endpoint))
    result = pod.run(*PHYS4D, "pod", "first", "--run", RUN)
    assert result.returncode == ExitCode.FAILED
    assert "failed to push" in result.stderr.splitlines()[-1]
    assert (pod.root / "out/first.json").exists()
    assert origin.folder(RUN).entry("first") is None


def test_a_request_to_stop_does_not_cut_off_what_is_done(
    origin: Origin, line: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.folder(RUN).publish(origin.project.root)
    monkeypatch.setenv("PHYS4D_STORAGE", f"s3://{origin.storage.bucket}/{origin.storage.prefix}")
    monkeypatch.setenv("PHYS4D_STORAGE_ENDPOINT", line.endpoint)
    pod = origin.clone("pod")
    process = pod.start(*PHYS4D, "pod", "first", "--run", RUN)
    wait_until((pod.root / ".phys4d/run/first.json").exists)
    line.hold = Hold("up", after=line.passed["up"])
    assert line.holding.wait(60)  # the data are on their way
    process.send_signal(signal.SIGTERM)
    line.hold = None
    line.break_all()
    _, err = process.communicate()
    assert process.returncode == 0, err
    restore_data(origin.clone("caller").root, origin.folder(RUN), "first")


def test_a_pod_of_another_commit_refuses(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    origin.folder(RUN).publish(origin.project.root)
    monkeypatch.setenv(IMAGE_COMMIT, "0" * 40)
    pod, result = origin.pod("first", RUN)
    assert result.returncode == ExitCode.BAD_PARAMETERS
    assert "0" * 40 in result.stderr
    assert "build an image of that commit" in result.stderr
    assert attempts(pod) == {}


def test_a_pod_of_a_run_that_nobody_published_refuses(origin: Origin) -> None:
    _, result = origin.pod("first", "nothing")
    assert result.returncode == ExitCode.BAD_PARAMETERS
    assert "run nothing is not in the storage" in result.stderr


def test_inputs_that_are_not_in_the_storage_are_named(origin: Origin) -> None:
    caller = origin.clone("caller")
    assert caller.stage("first").returncode == 0  # and its data stays here
    origin.folder(RUN).publish(caller.root)
    pod, result = origin.pod("left", RUN)
    assert result.returncode == ExitCode.FAILED
    assert "out/first.json" in result.stderr.splitlines()[-1]
    assert attempts(pod) == {}


def test_a_run_is_of_one_commit_and_one_set_of_parameters(origin: Origin) -> None:
    folder = origin.folder(RUN)
    folder.publish(origin.project.root)
    folder.publish(origin.project.root)
    origin.project.set(seed=7)
    with pytest.raises(ParametersError, match="begin a run with a new id"):
        folder.publish(origin.project.root)


def test_code_that_is_in_no_commit_is_not_run_elsewhere(origin: Origin) -> None:
    with (origin.project.root / FIRST).open("a") as module:
        module.write("# changed\n")
    with pytest.raises(ParametersError, match="commit them"):
        origin.folder(RUN).publish(origin.project.root)


def test_an_entry_that_is_not_of_the_callers_own_stage_and_data_is_refused(origin: Origin) -> None:
    folder, caller = origin.folder(RUN), origin.clone("caller")
    for stage in ("first", "left"):
        folder.publish(caller.root)
        _, result = origin.pod(stage, RUN)
        assert result.returncode == 0, result.stderr
        restore_entry(caller.root, folder, stage)

    def refused(name: str, words: str, path: str, *replaced: tuple[str, str]) -> None:
        other = origin.clone(name)
        text = (other.root / path).read_text()
        for old, new in replaced:
            text = text.replace(old, new)
        (other.root / path).write_text(text if replaced else text + "# changed\n")
        with pytest.raises(Phys4dError, match=f"{words} differ"):
            restore_entry(other.root, folder, "first")
        assert not (other.root / "dvc.lock").exists()

    refused("params", "parameter seed", "params.yaml", ("\nseed: 0\n", "\nseed: 7\n"))
    refused("code", FIRST, FIRST)
    refused(
        "command",
        "its command",
        "dvc.yaml",
        ("exec python components/stages/first.py", "python components/stages/first.py"),
    )

    without = origin.clone("without")
    with pytest.raises(Phys4dError, match=r"left: .* out/first\.json differ"):
        restore_entry(without.root, folder, "left")  # of which the caller knows nothing
    entry = folder.entry("left")
    assert entry
    text = entry.to_yaml().decode().replace(entry.read["out/first.json"], "0" * 32)
    with pytest.raises(Phys4dError, match=r"out/first\.json differ"):
        merge(caller.root, parse_entry(text.encode(), source="here"))


def test_a_pod_goes_on_through_an_outage_while_it_fetches_and_half_a_minute_while_it_sends(
    origin: Origin, line: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert origin.project.stage("first").returncode == 0
    dvc(origin.project.root, "push", "first")
    folder, storage = origin.folder(RUN), origin.storage
    folder.publish(origin.project.root)
    monkeypatch.setenv("PHYS4D_STORAGE", f"s3://{storage.bucket}/{storage.prefix}")
    monkeypatch.setenv("PHYS4D_STORAGE_ENDPOINT", line.endpoint)
    data = f"/{storage.bucket}/{storage.prefix}/dvc/files/md5/"
    line.outages = [Outage(f"GET {data}", refuse=4), Outage(f"PUT {data}", seconds=30.0)]
    pod, result = origin.pod("left", RUN)
    assert result.returncode == 0, result.stderr
    assert line.outages == []
    assert line.refused > 4  # some of the half minute too
    restore_data(origin.project.root, folder, "left")
    assert origin.project.hashes("out") == pod.hashes("out")


def test_dvc_fetches_a_large_file_whose_connection_breaks(storage: Storage, line: Proxy, tmp_path: Path) -> None:
    dvc(tmp_path, "init", "--no-scm", "--quiet")
    use_remote(tmp_path, replace(storage, endpoint=line.endpoint))
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(LARGE)
    dvc(tmp_path, "add", "large")
    dvc(tmp_path, "push", "large")
    shutil.rmtree(tmp_path / ".dvc/cache")
    large.unlink()
    line.cut = Cut("down", after=LARGE // 4)
    dvc(tmp_path, "pull", "large")
    assert line.cuts == 1
    assert large.stat().st_size == LARGE
