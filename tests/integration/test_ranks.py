"""A stage that trains on several ranks, as a user starts it: by resources.ranks, and by torchrun."""

import csv
import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from components.compute import has_fast_bfloat16
from components.locks import lock_holder
from tests.integration.project import DVC, PHYS4D, Project, finished_smoke, wait_until

pytestmark = pytest.mark.slow
STAGE = "prepare@wan22"
BASE = "models/wan22/base"
STEPS = 60
PREPARE = ("prepare", "--backbone", "wan22")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "components")


ENV = ("env",)


def assigned(variables: dict[str, str], **more: str) -> list[str]:
    """As env(1) takes them."""
    return [f"{name}={value}" for name, value in {**variables, **more}.items()]


def losses(project: Project) -> list[float]:
    with (project.root / BASE / "losses.csv").open() as file:
        return [float(row["value"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The smoke project with a base that one process trained; from now on it asks for two ranks."""
    made = finished_smoke(tmp_path_factory, "ranks")
    made.set(prepare__steps=STEPS)
    result = made.run(*DVC, "repro", STAGE)
    assert result.returncode == 0, result.stderr
    made.set(resources__ranks=2)
    yield made
    assert made.processes() == []


@pytest.fixture(scope="module")
def alone(project: Project) -> list[float]:
    return losses(project)


def follower_of(leader: int) -> int | None:
    """Rank 1; other children, such as a library's that asks for the machine's name, are not meant."""
    children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
    return next((int(child) for child in children if "RANK=1" in environment_of(child)), None)


def environment_of(process: str) -> list[str]:
    try:
        return Path(f"/proc/{process}/environ").read_text().split("\0")
    except OSError:  # it ended while we looked
        return []


def test_a_stage_starts_its_ranks_and_has_the_losses_of_one_process(project: Project, alone: list[float]) -> None:
    result = project.run(*PHYS4D, "stage", STAGE, "--force")
    assert result.returncode == 0, result.stderr
    assert losses(project) == pytest.approx(alone, rel=2e-2)
    rounding = 1e-3 if has_fast_bfloat16() else 1e-5  # of the machine that the stage trains on
    assert losses(project)[:3] == pytest.approx(alone[:3], rel=rounding)
    assert losses(project) != alone


def test_torchrun_starts_the_same_command_and_trains_to_the_same_bytes(project: Project) -> None:
    before = project.hashes(BASE)
    result = project.run(*TORCHRUN, *PREPARE)
    assert result.returncode == 0, result.stderr
    assert project.hashes(BASE) == before
    assert result.stderr.count(f"{STEPS}/{STEPS} steps") == 1


def test_a_stage_that_is_one_process_refuses_torchrun(project: Project) -> None:
    result = project.run(*TORCHRUN, "latents")
    assert "latents is the work of one process: run it without torchrun" in result.stderr


@pytest.mark.parametrize("whom", ["leader", "follower"])
def test_a_rank_that_is_killed_ends_all_and_the_same_command_goes_on(project: Project, whom: str) -> None:
    before = project.hashes(BASE)
    launcher = project.start(*PHYS4D, "stage", STAGE, "--force")
    lock = project.root / f".phys4d/run/{STAGE}.lock"
    wait_until(lambda: (leader := lock_holder(lock)) and follower_of(leader))
    leader = lock_holder(lock)
    assert leader
    follower = follower_of(leader)
    assert follower
    os.kill(leader if whom == "leader" else follower, signal.SIGKILL)
    _, err = launcher.communicate()
    assert launcher.returncode == 1
    wait_until(lambda: project.processes() == [])
    if whom == "follower":
        assert "rank 1 ended with code -9" in err
    result = project.run(*PHYS4D, "stage", STAGE, "--force")
    assert result.returncode == 0, result.stderr
    assert project.hashes(BASE) == before


def test_ranks_that_cannot_share_a_batch_are_bad_parameters(project: Project) -> None:
    project.set(resources__ranks=3)
    result = project.run(*PHYS4D, "stage", STAGE, "--force")
    project.set(resources__ranks=2)
    assert result.returncode == 78
    assert "prepare.batch_size: 4 samples cannot be shared by 3 ranks: write 3 or 6" in result.stderr


def test_two_machines_train_one_model(project: Project, alone: list[float], tmp_path: Path) -> None:
    """Each a folder of its own: the first one's stage leads, the other joins it; so many processes on each."""
    project.set(resources__ranks=1)
    other = Project(tmp_path / "other")
    shutil.copytree(project.root, other.root)
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    gang = {"PET_NNODES": "2", "PET_MASTER_ADDR": "127.0.0.1", "PET_MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    first = project.start(*ENV, *assigned(gang, PET_NODE_RANK="0"), *PHYS4D, "stage", STAGE, "--force")
    second = other.start(*ENV, *assigned(gang, PET_NODE_RANK="1"), *PHYS4D, "join", STAGE)
    ends = [process.communicate()[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), ends
    assert losses(project) == pytest.approx(alone, rel=2e-2)
    assert other.processes() == []


def test_join_alone_says_what_it_misses(project: Project) -> None:
    result = project.run(*PHYS4D, "join", STAGE)
    assert result.returncode == 78
    assert "join: expected PET_NNODES of 2 or more" in result.stderr
    environment = assigned(
        {"PET_NNODES": "2", "PET_MASTER_ADDR": "127.0.0.1", "PET_MASTER_PORT": "1"}, PET_NODE_RANK="1"
    )
    result = project.run(*ENV, *environment, *PHYS4D, "join", "evaluate@wan22")
    assert result.returncode == 78
    assert "evaluate@wan22 is the work of one process" in result.stderr
