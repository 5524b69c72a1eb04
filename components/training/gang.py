"""The processes of one training on this machine: who follows is started, watched and ended by who leads.

The stage's own process leads, so that DVC, signals, the lock and the record see one process whatever the number of
ranks. On several machines the first one's stage leads, and `phys4d join` starts the ranks of each other one. Under
torchrun nobody is started: every rank runs the stage's own command.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from components.errors import ExitCode, Phys4dError
from components.launched import LEADER, is_one_of_several, this_node
from components.training import ranks

LOOPBACK = "127.0.0.1"
LOOK_EVERY = 0.5  # seconds
GRACE = 15.0  # seconds in which a collective says by itself that a rank has gone

Followers: TypeAlias = Sequence["subprocess.Popen[bytes]"]


@contextmanager
def together(count: int, folder: Path) -> Iterator[None]:
    """Within it this command and `count` - 1 copies of it are ranks of one training; `folder` is for what they say.

    So they are on each of several machines.

    Phys4dError names a copy that failed. In a command that torchrun started, its environment decides instead.
    """
    if is_one_of_several():
        with _joined():
            yield
    elif count == 1 and this_node() is None:
        yield
    else:
        with _followers(count, folder), _joined():
            yield


@contextmanager
def _joined() -> Iterator[None]:
    ranks.join()
    try:
        yield
    finally:
        ranks.leave()


@contextmanager
def _followers(count: int, folder: Path) -> Iterator[None]:
    """Start this machine's ranks from 1 on with the command line of this process, and make it rank 0."""
    node = this_node()
    store = ranks.meeting_place(node.address, node.port) if node else ranks.meeting_place(LOOPBACK)
    shared = meeting(count, node.count if node else 1, node.address if node else LOOPBACK, store.port)
    followers: list[subprocess.Popen[bytes]] = []
    logs = [folder / f"rank-{rank}.log" for rank in range(1, count)]
    try:
        for rank, log in enumerate(logs, start=1):
            followers.append(start_rank(sys.argv[1:], rank, local=rank, shared=shared, log=log))
        with _environment({**shared, "RANK": "0", "LOCAL_RANK": "0"}), _watched(followers, logs):
            yield
        for follower in followers:
            follower.wait()
        _check(followers, logs)
    except RuntimeError as error:  # what torch raises when a rank has gone
        for _ in range(int(GRACE / LOOK_EVERY)):  # its end is seen a moment after the connection's
            _check(followers, logs, cause=error)
            time.sleep(LOOK_EVERY)
        raise
    finally:
        for follower in followers:
            follower.kill()
            follower.wait()


def meeting(count: int, nodes: int, address: str, port: int) -> dict[str, str]:
    """What all ranks are told: `count` of them on each of `nodes` machines meet there."""
    alone = {"GLOO_SOCKET_IFNAME": os.environ.get("GLOO_SOCKET_IFNAME", "lo")} if nodes == 1 else {}
    return {
        "WORLD_SIZE": str(count * nodes),
        "LOCAL_WORLD_SIZE": str(count),
        "MASTER_ADDR": address,
        "MASTER_PORT": str(port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",  # the store is there already, also for rank 0
        **alone,
    }


def start_rank(
    command: Sequence[str], rank: int, *, local: int, shared: Mapping[str, str], log: Path
) -> "subprocess.Popen[bytes]":
    """A process that runs `phys4d command` as that rank, the `local`-th of its machine; it ends with this process."""
    place = {**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(local), LEADER: str(os.getpid())}
    with log.open("wb") as file:
        return subprocess.Popen([sys.executable, "-m", "components", *command], env=place, stdout=file, stderr=file)


@contextmanager
def _watched(followers: Followers, logs: Sequence[Path]) -> Iterator[None]:
    """End this process when a follower failed and the wait for it, inside a library, does not end by itself."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_EVERY):
            if (failure := _failure(followers, logs)) and not ended.wait(GRACE):
                sys.stderr.write(f"phys4d: {failure}\n")
                sys.stderr.flush()
                os._exit(ExitCode.FAILED)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _check(followers: Followers, logs: Sequence[Path], *, cause: BaseException | None = None) -> None:
    """Phys4dError when a follower failed."""
    if failure := _failure(followers, logs):
        raise Phys4dError(failure) from cause


def _failure(followers: Followers, logs: Sequence[Path]) -> str:
    """What is to be said of the first follower that ended before it was done; nothing when there is none."""
    for rank, (follower, log) in enumerate(zip(followers, logs, strict=True), start=1):
        if follower.poll():
            said = log.read_text(errors="replace").strip().splitlines()
            return f"rank {rank} ended with code {follower.returncode}: {said[-1] if said else 'no word'} ({log})"
    return ""


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
