"""A stage that several pods make in parts: what they bring together is what one machine makes."""

import signal
import subprocess
from pathlib import Path

import pytest

from components.checkout import IMAGE_COMMIT
from components.cluster.restore import restore_data
from components.errors import ExitCode
from components.storage.store import Storage
from tests.integration.clones import Origin, git, published
from tests.integration.project import PHYS4D, Project, make_project, wait_until

STAGE, RUN = "simulate@dev", "20260102-030405-abcdef"
CHANGES = {
    "simulation__clips_per_shard": 6,
    "simulation__splits__dev__configurations": {"rigid": 12},  # two takes of each: four shards
    "resources__processes": 1,
}


@pytest.fixture
def origin(tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Origin:
    made = published(make_project(tmp_path / "origin", CHANGES), storage)
    monkeypatch.setenv(IMAGE_COMMIT, git(made.project.root, "rev-parse", "HEAD").strip())
    made.folder(RUN).publish(made.project.root)
    return made


def start(pod: Project, part: str) -> subprocess.Popen[str]:
    return pod.start(*PHYS4D, "pod", STAGE, "--run", RUN, "--part", part)


@pytest.mark.slow
def test_pods_that_make_parts_end_as_one_machine(origin: Origin) -> None:
    first, second, whole = (origin.clone(name) for name in ("first", "second", "whole"))
    leader, other = start(first, "1/2"), start(second, "2/2")
    messages = [process.communicate()[1] for process in (leader, other)]
    assert [leader.returncode, other.returncode] == [0, 0], messages
    assert "clips_made_now: 0" in messages[0]  # by the stage: all was there
    assert not (second.root / "data").exists()
    assert whole.stage(STAGE).returncode == 0
    restore_data(origin.project.root, origin.folder(RUN), STAGE)
    assert origin.project.hashes("data/simulation/dev") == whole.hashes("data/simulation/dev")
    assert origin.storage.keys("progress/") == []


@pytest.mark.long
def test_what_a_pod_had_made_of_its_part_is_not_made_again(origin: Origin) -> None:
    first = origin.clone("first")
    leader = start(first, "1/2")
    wait_until(lambda: [key for key in origin.storage.keys("progress/") if key.endswith("part-1-of-2/finished")])
    leader.send_signal(signal.SIGTERM)  # while it waits for the other
    said = leader.communicate()[1]
    assert leader.returncode == ExitCode.STOPPED, said
    assert "stopped while it waited for part-2-of-2" in said
    stopped = origin.clone("stopped")
    other = start(stopped, "2/2")
    wait_until(lambda: list(stopped.root.glob(".phys4d/progress/*/*/parts/*/rows/*.parquet")))
    other.send_signal(signal.SIGTERM)
    assert other.wait() == ExitCode.STOPPED
    again = [start(origin.clone(f"again-{part}"), f"{part}/2") for part in (1, 2)]
    messages = [process.communicate()[1] for process in again]
    assert [process.returncode for process in again] == [0, 0], messages
    assert "part-1-of-2: " not in messages[0]  # it was fetched
    assert "part-2-of-2: 6 clips made now" in messages[1]  # one shard of two was kept


@pytest.mark.slow
def test_only_what_can_be_made_in_parts_is(origin: Origin) -> None:
    pod = origin.clone("pod")
    result = pod.run(*PHYS4D, "pod", "collect_videos", "--run", RUN, "--part", "1/2")
    assert result.returncode == ExitCode.BAD_PARAMETERS
    assert "collect_videos has no parts: only simulate can be made in parts" in result.stderr
