"""A run starts what DVC finds out of date and what a run stage really changed, in order, and nothing else."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from components.errors import Phys4dError
from components.pipeline.graph import GraphStage
from flows.plan import Plan, walk

READS = {"simulate@a": (), "simulate@b": (), "left": ("out/simulate@a",), "last": ("out/left/x", "out/simulate@b")}
GRAPH = {
    name: GraphStage(
        name=name, template=name.partition("@")[0], inputs=inputs, code=(), params=(), outs=(f"out/{name}",)
    )
    for name, inputs in READS.items()
}


def lock(root: Path, **hashes: str) -> None:
    """dvc.lock with these hashes of the stages' outs; the others' are "old"."""
    stages = {name: {"outs": [{"path": f"out/{name}", "md5": hashes.get(name[-1], "old")}]} for name in GRAPH}
    (root / "dvc.lock").write_text(yaml.safe_dump({"stages": stages}))


Done = Callable[[Phys4dError | None], None]


class Runner:
    """Ends stages in the order they began; each has made something new, unless `same` names it.

    A stage ends when `held` of them have begun.
    """

    def __init__(self, root: Path, *, same: tuple[str, ...] = (), failing: str = "", held: int = 1) -> None:
        self.root, self.same, self.failing, self.held = root, same, failing, held
        self.ran: list[str] = []
        self.most = 0
        self._made: dict[str, str] = {}
        self._running: list[tuple[str, Done]] = []
        lock(root)

    def submit(self, name: str, done: Done) -> None:
        self.ran.append(name)
        self._running.append((name, done))
        self.most = max(self.most, len(self._running))
        if len(self._running) < self.held:
            return
        for running, call in self._running:
            if running not in (*self.same, self.failing):
                self._made[running[-1]] = "new"
                lock(self.root, **self._made)
            call(Phys4dError("no") if running == self.failing else None)
        self._running = []


def run(
    root: Path,
    runner: Runner,
    *,
    stale: Sequence[str] = (),
    targets: Sequence[str] = tuple(GRAPH),
    forced: Sequence[str] = (),
    room: int = 1,
    takes: Callable[[str], int] = lambda _: 1,
) -> Phys4dError | None:
    plan = Plan(root, GRAPH, targets=targets, stale=stale, forced=forced)
    return walk(plan, runner.submit, room=room, takes=takes, stopping=threading.Event())


def test_the_stage_with_the_longest_chain_behind_it_goes_first(tmp_path: Path) -> None:
    graph = dict(reversed(GRAPH.items()))
    lock(tmp_path)
    plan = Plan(tmp_path, graph, targets=tuple(graph), stale=tuple(graph))
    assert plan.next() == "simulate@a"


def test_a_stage_that_takes_more_goes_before_the_one_with_the_longer_chain(tmp_path: Path) -> None:
    lock(tmp_path)
    plan = Plan(
        tmp_path, GRAPH, targets=tuple(GRAPH), stale=tuple(GRAPH), takes=lambda name: 2 if name == "simulate@b" else 1
    )
    assert plan.next() == "simulate@b"


def test_what_is_up_to_date_does_not_run(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    assert run(tmp_path, runner) is None
    assert runner.ran == []


def test_a_change_runs_all_that_follows_in_order(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    run(tmp_path, runner, stale=["simulate@a"])
    assert runner.ran == ["simulate@a", "left", "last"]


def test_a_stage_that_makes_the_same_again_starts_nothing(tmp_path: Path) -> None:
    runner = Runner(tmp_path, same=("left",))
    run(tmp_path, runner, stale=["simulate@a"])
    assert runner.ran == ["simulate@a", "left"]


def test_only_what_the_targets_need_runs(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    run(tmp_path, runner, stale=list(GRAPH), targets=("left",))
    assert runner.ran == ["simulate@a", "left"]


def test_forced_stages_run_though_they_are_up_to_date(tmp_path: Path) -> None:
    runner = Runner(tmp_path, same=("left",))
    run(tmp_path, runner, targets=("left",), forced=["left"])
    assert runner.ran == ["left"]


def test_after_a_failure_nothing_new_begins(tmp_path: Path) -> None:
    runner = Runner(tmp_path, failing="simulate@a")
    failure = run(tmp_path, runner, stale=list(GRAPH))
    assert str(failure) == "no"
    assert runner.ran == ["simulate@a"]


@pytest.mark.parametrize(("room", "most"), [(1, 1), (2, 2), (5, 2)])
def test_independent_stages_run_beside_each_other_within_the_limit(tmp_path: Path, room: int, most: int) -> None:
    runner = Runner(tmp_path, held=most)
    run(tmp_path, runner, stale=["simulate@a", "simulate@b"], targets=("simulate@a", "simulate@b"), room=room)
    assert sorted(runner.ran) == ["simulate@a", "simulate@b"]
    assert runner.most == most


def test_a_stage_that_takes_all_the_room_runs_alone(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    sizes = {"simulate@a": 2, "simulate@b": 1, "left": 5, "last": 1}
    run(tmp_path, runner, stale=list(GRAPH), room=2, takes=sizes.__getitem__)
    assert runner.most == 1
    assert sorted(runner.ran) == sorted(GRAPH)


def test_a_stage_that_fits_does_not_wait_for_one_that_does_not(tmp_path: Path) -> None:
    lock(tmp_path)
    plan = Plan(tmp_path, GRAPH, targets=GRAPH, stale=GRAPH)
    assert plan.next(lambda name: name != "simulate@a") == "simulate@b"
    assert plan.next() == "simulate@a"


def test_a_request_to_stop_begins_nothing(tmp_path: Path) -> None:
    stopping = threading.Event()
    stopping.set()
    runner = Runner(tmp_path)
    walk(Plan(tmp_path, GRAPH, targets=GRAPH, stale=GRAPH), runner.submit, room=1, takes=lambda _: 1, stopping=stopping)
    assert runner.ran == []
