"""Stage 3 under its watch: what it is told decides when it ends and what is kept, and nothing else changes a bit."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from torch import Tensor

from components.backbones.adapters import POLICY, adapter_tensors
from components.errors import StoppedError
from components.model import Model
from components.params import Stage3Watch
from components.training import policy as policy_module
from components.training import trainer
from components.training.instrument import Reading
from components.training.stage3 import Reinforcement
from components.training.trainer import train
from components.training.watch import Instrument
from components.training.watched import COURSE_FILE, Outcome, Watched
from tests.training.test_trainer import KilledError, stop_after
from tests.training.twins import STAGE3, assert_same, copies, make_model, make_practice, surroundings

ITERATIONS = 6
SCENES = np.array([-0.02, -0.01, 0.01, 0.02])  # of the judge's figure: the same in every look
HACKING = ((0.30, 1.0), (0.25, 1.1), (0.28, 1.2), (0.29, 1.3), (0.30, 1.4), (0.31, 1.5), (0.32, 1.6))
LEVEL = tuple((0.30, 1.0 + number) for number in range(ITERATIONS + 1))


@pytest.fixture(autouse=True)
def an_anchor_of_few_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_module, "ANCHOR_BATCH", 2)


@dataclass
class Told:
    """An instrument that finds what it is told, (chamfer, reward) a look, and keeps the policies it was shown."""

    model: Model
    course: Sequence[tuple[float, float]]
    shown: list[dict[str, Tensor]] = field(default_factory=list)

    def measure(self) -> Reading:
        chamfer, reward = self.course[len(self.shown)]
        self.shown.append(policy_of(self.model))
        return Reading(chamfer=chamfer + SCENES, reward=reward)


@dataclass
class Drift:
    """An instrument for which a policy is rewarded for how far it went, and best at `best`; it knows nothing else."""

    model: Model
    best: float

    def measure(self) -> Reading:
        far = how_far(self.model)
        return Reading(chamfer=abs(far - self.best) + SCENES, reward=far)


def policy_of(model: Model) -> dict[str, Tensor]:
    return copies(adapter_tensors(model.backbone, POLICY))


def how_far(model: Model) -> float:
    """From the start, where it changes nothing."""
    return sum(float(value.abs().sum()) for name, value in policy_of(model).items() if "lora_B" in name)


@cache
def after_one_iteration() -> float:
    model = make_model()
    reinforcement(model).update(0)
    return how_far(model)


def reinforcement(model: Model, algorithm: str = "nft", *, iterations: int = ITERATIONS) -> Reinforcement:
    section = STAGE3.model_copy(update={"iterations": iterations, "algorithm": algorithm})
    return Reinforcement(model, make_practice(), section, noise_level=0.05, seed=1)


def watched(model: Model, instrument: Instrument, *, every: int = 1, patience: int = 3) -> Watched:
    section = Stage3Watch(every=every, scenes=len(SCENES), patience=patience)
    return Watched(reinforcement(model), instrument, section, seed=1)


def drifting() -> tuple[Model, Watched]:
    """A policy that goes further in every iteration, and is best after its first: it is stopped after its fourth."""
    model = make_model()
    return model, watched(model, Drift(model, best=after_one_iteration()))


def test_a_policy_whose_reward_rises_while_the_judge_falls_is_stopped_and_its_best_is_kept(tmp_path: Path) -> None:
    model = make_model()
    told = Told(model, HACKING)
    learner = watched(model, told)
    history = train(learner, surroundings(tmp_path))
    assert (len(history), len(told.shown)) == (4, 5)
    assert_same(policy_of(model), told.shown[1])
    assert not all(torch.equal(value, told.shown[4][name]) for name, value in policy_of(model).items())
    outcome = learner.outcome()
    assert outcome.facts() == {"stopped_by": "watch", "stopped_at": 4, "kept_iteration": 1}
    assert outcome.figures()["watch_kept_change"] == pytest.approx(-0.05)
    assert "stopped by the watch at iteration 4 of 6" in outcome.verdict()
    assert "kept the policy of iteration 1: the judge's 4D Chamfer on dev 0.300 -> 0.250 m" in outcome.verdict()
    assert len(outcome.files()[COURSE_FILE].splitlines()) == 1 + 5


@pytest.mark.parametrize("algorithm", ["nft", "grpo"])
def test_a_watch_that_stops_nothing_changes_no_bit(algorithm: str, tmp_path: Path) -> None:
    """Looked at before, in the middle, and at the end, when the mean of two policies is what would be kept."""
    alone, under = make_model(), make_model()
    history = train(reinforcement(alone, algorithm, iterations=3), surroundings(tmp_path / "alone"))
    section = Stage3Watch(every=2, scenes=len(SCENES), patience=3)
    learner = Watched(reinforcement(under, algorithm, iterations=3), Told(under, LEVEL), section, seed=1)
    seen = train(learner, surroundings(tmp_path / "under"))
    assert_same(policy_of(under), policy_of(alone))
    assert [{name: value for name, value in figures.items() if "watch" not in name} for figures in seen] == history
    assert [look.iteration for look in learner.outcome().looks] == [0, 2, 3]
    assert learner.outcome().facts() == {"stopped_by": "end", "stopped_at": 3, "kept_iteration": 3}
    assert learner.outcome().verdict().startswith("the watch let all 3 iterations be")


def test_it_looks_before_the_first_iteration_every_so_many_and_after_the_last(tmp_path: Path) -> None:
    model = make_model()
    told = Told(model, LEVEL)
    learner = watched(model, told, every=4, patience=1)
    history = train(learner, surroundings(tmp_path))
    assert [look.iteration for look in learner.outcome().looks] == [0, 4, 6]
    assert ["watch_chamfer" in figures for figures in history] == [False, False, False, True, False, True]
    assert all((value == 0).all() for name, value in told.shown[0].items() if "lora_B" in name), "the model of stage 2"


def test_what_is_measured_is_what_would_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy itself, and from the second half on the mean of its policies since."""
    model = make_model()
    told, policies = Told(model, LEVEL), list[dict[str, Tensor]]()
    learner = watched(model, told)
    average = Reinforcement._average

    def recorded(self: Reinforcement, step: int) -> None:
        policies.append(policy_of(model))
        average(self, step)

    monkeypatch.setattr(Reinforcement, "_average", recorded)
    train(learner, surroundings(tmp_path))
    half = ITERATIONS // 2
    for done in range(1, ITERATIONS + 1):
        expected = policies[half:done] if done > half else policies[done - 1 : done]
        for name, value in told.shown[done].items():
            torch.testing.assert_close(value, torch.stack([policy[name] for policy in expected]).mean(0))
    assert_same(policy_of(model), told.shown[-1])


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a training that nothing disturbs ends."""

    history: list[Mapping[str, float]]
    state: dict[str, Tensor]
    policy: dict[str, Tensor]
    outcome: Outcome


@cache
def undisturbed() -> Ended:
    model, learner = drifting()
    with TemporaryDirectory() as folder:
        history = train(learner, surroundings(Path(folder)))
    assert learner.outcome().facts() == {"stopped_by": "watch", "stopped_at": 4, "kept_iteration": 1}
    return Ended(history=history, state=copies(learner.state()), policy=policy_of(model), outcome=learner.outcome())


def assert_goes_on_to_the_same_end(folder: Path) -> None:
    model, again = drifting()
    assert train(again, surroundings(folder)) == undisturbed().history
    assert_same(policy_of(model), undisturbed().policy)
    assert_same(again.state(), undisturbed().state)
    assert again.outcome() == undisturbed().outcome


@pytest.mark.parametrize("steps", range(4))
def test_stopped_by_a_signal_it_ends_as_if_it_had_not_been(steps: int, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train(drifting()[1], surroundings(tmp_path, stopped=stop_after(steps)))
    assert_goes_on_to_the_same_end(tmp_path)


@pytest.mark.parametrize("killed", [1, 3])
def test_killed_it_ends_as_if_it_had_not_been(killed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an update and before its checkpoint: one in the middle, and the one that ends the training."""
    monkeypatch.setattr(trainer, "SAVE_EVERY", -1.0)
    monkeypatch.setattr(trainer, "SAVE_SHARE", math.inf)
    with pytest.raises(KilledError):
        train(drifting()[1], surroundings(tmp_path, log=die_at(killed)))
    assert_goes_on_to_the_same_end(tmp_path)


def test_killed_after_it_was_ended_it_stays_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "SAVE_EVERY", -1.0)
    monkeypatch.setattr(trainer, "SAVE_SHARE", math.inf)
    train(drifting()[1], surroundings(tmp_path))
    monkeypatch.setattr(Watched, "update", None)  # nothing is left to do
    assert_goes_on_to_the_same_end(tmp_path)


def die_at(step: int) -> Callable[[Mapping[str, float], int], None]:
    def die(_: Mapping[str, float], now: int) -> None:
        if now == step:
            raise KilledError

    return die
