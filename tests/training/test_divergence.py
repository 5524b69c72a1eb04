"""A step that is not finite is not done: the training before it is saved, and the message says all that is known."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from components.errors import ExitCode, Phys4dError
from components.training import policy as policy_module
from components.training.checkpoints import CHECKPOINT_FILE, read_checkpoint
from components.training.optimisers import DivergedError, Optimisers, adam
from components.training.trainer import Learner, train
from tests.training.learners import LEARNERS, stand_in
from tests.training.twins import assert_same, copies, surroundings


@pytest.fixture(autouse=True)
def an_anchor_of_few_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_module, "ANCHOR_BATCH", 2)


class Breaks:
    """An optimiser's step that finds a gradient that is not finite, the time that it is told."""

    def __init__(self, learner: Learner, value: float, *, step: int) -> None:
        state = learner._state  # type: ignore[attr-defined]
        self._optimisers, self._value, self._left = state.optimisers, value, step
        self._step = self._optimisers.step

    def __call__(self, *arguments: object) -> object:
        if not self._left:
            group = self._optimisers.members[0].param_groups[0]
            trained = next(value for value in group["params"] if value.grad is not None)
            trained.grad.view(-1)[0] = self._value
        self._left -= 1
        return self._step(*arguments)


@pytest.mark.parametrize(("make", "value"), [*((make, float("nan")) for make in LEARNERS), (stand_in, float("inf"))])
def test_what_is_saved_is_the_training_before_the_step_and_it_goes_on_from_there(
    make: Callable[[], Learner], value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, good = make(), make()
    updates = learner._section.updates if hasattr(learner, "_policy") else 1  # type: ignore[attr-defined]
    last = learner.steps - 1
    bad = updates * last + updates - 1  # the last optimiser step of all
    monkeypatch.setattr(learner._state.optimisers, "step", Breaks(learner, value, step=bad))  # type: ignore[attr-defined]
    with pytest.raises(Phys4dError) as caught:
        train(learner, surroundings(tmp_path))
    said, path = str(caught.value), tmp_path / CHECKPOINT_FILE
    assert caught.value.code is ExitCode.FAILED
    assert said.startswith(f"step {last}: the gradient's norm is {value}, expected a finite number: lower the learning")
    assert f"{path} is the training before that step, from which the same command goes on" in said
    for step in range(last):
        good.update(step)
    saved = read_checkpoint(tmp_path)
    assert saved
    assert len(saved.history) == last
    assert_same(saved.state, good.state())
    again, whole = make(), good
    history = train(again, surroundings(tmp_path))
    assert history[-1] == whole.update(last)
    assert_same(again.state(), whole.state())


def test_a_loss_that_is_not_finite_is_named() -> None:
    layer = nn.Linear(2, 2)
    optimisers = Optimisers([adam(layer.parameters(), 1e-3)], clipped=[layer.parameters()])
    before = copies(layer.state_dict())
    layer(torch.ones(1, 2)).sum().backward()
    figures = {"depth": torch.tensor(1.0), "warp": torch.tensor(float("nan"))}
    with pytest.raises(DivergedError, match=r"^warp is nan, expected a finite number: lower the learning rates"):
        optimisers.step(1.0, figures)
    assert_same(layer.state_dict(), before)


def test_a_figure_that_no_optimiser_saw_ends_the_training_too(tmp_path: Path) -> None:
    class Diverging:
        steps = 6
        value = torch.zeros(1)

        def update(self, step: int) -> Mapping[str, float]:
            return {"loss": 1.0, "warp": float("nan") if step == 2 else 0.0}

        def state(self) -> Mapping[str, torch.Tensor]:
            return {"value": self.value}

        def load_state(self, state: Mapping[str, torch.Tensor]) -> None: ...

    with pytest.raises(Phys4dError, match="step 2: warp is nan, expected a finite number: lower the learning rates"):
        train(Diverging(), surroundings(tmp_path))  # type: ignore[arg-type]
