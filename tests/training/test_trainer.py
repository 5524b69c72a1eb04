"""Training stops, dies and goes on: whatever happens on the way, the end is the same bit for bit."""

import csv
import io
import math
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from components.errors import Phys4dError, StoppedError
from components.training import policy as policy_module
from components.training import stand_in as stand_in_module
from components.training import trainer
from components.training.checkpoints import CHECKPOINT_FILE
from components.training.trainer import Learner, losses_csv, train
from tests.training.learners import LEARNERS, stage1, stage3_nft, stand_in
from tests.training.twins import assert_same, copies, surroundings

Maker = Callable[[], Learner]


@pytest.fixture(autouse=True)
def few_steps_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Averages that are not the last weights from the first step on, and an anchor of few clips."""
    monkeypatch.setattr(stand_in_module, "AVERAGE_FROM", -1)
    monkeypatch.setattr(policy_module, "ANCHOR_BATCH", 2)


class KilledError(Exception):
    """Stands for a process that is gone."""


class Counting:
    """A learner of one number, of as many steps as it is asked for."""

    def __init__(self, steps: int = 6) -> None:
        self.steps = steps
        self.done: list[int] = []
        self.value = torch.zeros(3)

    def update(self, step: int) -> Mapping[str, float]:
        self.done.append(step)
        self.value += step
        return {"loss": 1 / (step + 3)}

    def state(self) -> dict[str, Tensor]:
        return {"value": self.value}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.value.copy_(state["value"])


def stop_after(steps: int) -> Callable[[], bool]:
    """What a signal sets: False so many times, True then."""
    asked = iter([False] * steps)
    return lambda: next(asked, True)


@cache
def uninterrupted(make: Maker) -> tuple[list[Mapping[str, float]], dict[str, Tensor]]:
    """The history and the last state of a training that nothing disturbs."""
    learner = make()
    with TemporaryDirectory() as folder:
        history = train(learner, surroundings(Path(folder)))
    return history, copies(learner.state())


@pytest.mark.parametrize("make", LEARNERS, ids=lambda make: make.__name__)
def test_a_stopped_training_ends_as_if_it_had_not_been_stopped(make: Maker, tmp_path: Path) -> None:
    first, second = make(), make()
    half = first.steps // 2
    with pytest.raises(StoppedError, match=f"stopped at step {half} of {first.steps}; the same command goes on"):
        train(first, surroundings(tmp_path, stopped=stop_after(half)))
    history, state = uninterrupted(make)
    assert train(second, surroundings(tmp_path)) == history
    assert_same(second.state(), state)


@pytest.mark.parametrize("make", [stand_in, stage3_nft], ids=lambda make: make.__name__)
def test_a_killed_training_ends_as_if_it_had_not_been_killed(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after an update and before its checkpoint: the one of the step before is what is left.

    It is the checkpoint of a training that was stopped there, from which every learner goes on.
    """
    monkeypatch.setattr(trainer, "SAVE_EVERY", -1.0)
    monkeypatch.setattr(trainer, "SAVE_SHARE", math.inf)
    first, second = make(), make()

    def die(_: Mapping[str, float], step: int) -> None:
        if step == first.steps // 2:
            raise KilledError

    with pytest.raises(KilledError):
        train(first, surroundings(tmp_path, log=die))
    history, state = uninterrupted(make)
    assert train(second, surroundings(tmp_path)) == history
    assert_same(second.state(), state)


@pytest.mark.parametrize("make", LEARNERS, ids=lambda make: make.__name__)
def test_a_training_draws_nothing_from_the_global_generator(make: Maker) -> None:
    before = torch.get_rng_state()
    make().update(0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("make", LEARNERS, ids=lambda make: make.__name__)
def test_every_tensor_of_the_state_is_changed_by_training(make: Maker) -> None:
    """What updates do not change has no place in a checkpoint, and what should learn and does not is a mistake."""
    before, (_, after) = make().state(), uninterrupted(make)
    assert [name for name, value in before.items() if torch.equal(value, after[name])] == []


def test_a_training_that_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "SAVE_EVERY", -1.0)
    monkeypatch.setattr(trainer, "SAVE_SHARE", math.inf)
    history = train(Counting(), surroundings(tmp_path))
    again = Counting()
    assert train(again, surroundings(tmp_path)) == history
    assert again.done == []
    assert again.value.tolist() == [15.0] * 3


def test_a_learner_that_lowers_its_steps_ends_there(tmp_path: Path) -> None:
    class Content(Counting):
        def update(self, step: int) -> Mapping[str, float]:
            if step == 2:
                self.steps = 3
            return super().update(step)

    learner = Content()
    assert len(train(learner, surroundings(tmp_path))) == 3
    assert learner.done == [0, 1, 2]


def test_figures_are_logged_once_with_their_step(tmp_path: Path) -> None:
    logged: list[tuple[int, float]] = []

    def log(figures: Mapping[str, float], step: int) -> None:
        logged.append((step, figures["loss"]))

    with pytest.raises(StoppedError):
        train(Counting(), surroundings(tmp_path, stopped=stop_after(2), log=log))
    train(Counting(), surroundings(tmp_path, log=log))
    assert logged == [(step, 1 / (step + 3)) for step in range(6)]


def test_a_stop_before_the_first_step_loses_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="step 0 of 6"):
        train(stage1(), surroundings(tmp_path, stopped=lambda: True))
    assert len(train(stage1(), surroundings(tmp_path))) == 6


def test_the_display_counts_on_from_what_was_done(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train(Counting(), surroundings(tmp_path, stopped=stop_after(4)))
    around = surroundings(tmp_path)
    train(Counting(), around)
    assert around.display.done == 6


@pytest.mark.parametrize("share", [0.0, 0.001, 0.999])
def test_a_checkpoint_cut_short_is_said_and_training_starts_afresh(
    share: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StoppedError):
        train(stage1(), surroundings(tmp_path / "cut", stopped=stop_after(3)))
    path = tmp_path / "cut" / CHECKPOINT_FILE
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    learner = stage1()
    history, state = uninterrupted(stage1)
    assert train(learner, surroundings(tmp_path / "cut")) == history
    assert f"{path}: not a whole checkpoint" in capsys.readouterr().err
    assert_same(learner.state(), state)


def test_a_checkpoint_of_another_shape_is_refused_and_its_tensor_named(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train(stage1(width=8), surroundings(tmp_path, stopped=stop_after(1)))
    with pytest.raises(Phys4dError, match=r"checkpoint of stage1: heads\.\S+ has shape \[.*8.*\], expected \[.*12.*\]"):
        train(stage1(width=12), surroundings(tmp_path))


def test_a_checkpoint_of_another_stage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train(stage1(), surroundings(tmp_path, stopped=stop_after(1)))
    with pytest.raises(Phys4dError, match=r"checkpoint of prepare: \S+ is not in the (file|model)"):
        train(stand_in(), surroundings(tmp_path))


def test_a_checkpoint_is_whole_or_the_one_before(tmp_path: Path) -> None:
    class Unwritable(Counting):
        def state(self) -> dict[str, Tensor]:
            raise KilledError

    with pytest.raises(StoppedError):
        train(Counting(), surroundings(tmp_path, stopped=stop_after(2)))
    with pytest.raises(KilledError):
        train(Unwritable(), surroundings(tmp_path, stopped=stop_after(1)))
    assert load_file(tmp_path / CHECKPOINT_FILE)["value"].tolist() == [1.0] * 3
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_FILE]


def test_losses_come_back_from_their_table() -> None:
    history = [{"depth": 0.1, "flow": 1 / 3}, {"depth": 1e-12, "flow": 12345.678}]
    table = losses_csv(history)
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert [(int(row["step"]), row["name"]) for row in rows] == [(0, "depth"), (0, "flow"), (1, "depth"), (1, "flow")]
    found = [float(row["value"]) for row in rows]
    assert found == pytest.approx([value for figures in history for value in figures.values()], rel=1e-8)
    assert table == losses_csv([dict(figures) for figures in history])
