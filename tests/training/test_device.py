"""A step of training computes on the accelerator and waits for it once.

There is none here: the device `meta` stands for one. Its tensors have shapes and no values, so what mixes devices and
what asks for a value before the optimiser does is an error.
"""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from components.training import engine as engine_module
from components.training import optimisers as optimisers_module
from components.training import policy as policy_module
from components.training import rewards as rewards_module
from components.training import stage1 as stage1_module
from components.training import stage2 as stage2_module
from components.training import stage3 as stage3_module
from components.training.optimisers import Optimisers
from components.training.policy import Policy
from components.training.rewards import Scene
from tests.training.learners import (
    stage1,
    stage2_blocks,
    stage2_lora,
    stage3_grpo,
    stage3_nft,
    stage3_rejection,
    stand_in,
)

pytestmark = pytest.mark.usefixtures("in_float32")

META = torch.device("meta")


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Tensor]]:
    """Models and batches are put onto `meta`; the figures of every optimiser step are kept, and no step is done."""
    seen: list[Mapping[str, Tensor]] = []

    def step(self: Optimisers, factor: float, figures: Mapping[str, Tensor]) -> dict[str, float]:
        seen.append(figures)
        trained = [value for member in self.members for group in member.param_groups for value in group["params"]]
        assert {value.device for value in trained} == {META}
        assert {value.grad.device for value in trained if value.grad is not None} == {META}
        assert any(value.grad is not None for value in trained)
        return dict.fromkeys(figures, 0.0)

    def adam(parameters: Any, rate: float) -> torch.optim.AdamW:  # noqa: ANN401 -- fused, it knows no `meta`
        return torch.optim.AdamW(list(parameters), rate)

    monkeypatch.setattr("components.compute.device", lambda: META)
    for module in (engine_module, stage1_module, stage2_module, stage3_module):
        monkeypatch.setattr(module, "device", lambda: META)
    for module in (optimisers_module, stage1_module, stage3_module):
        monkeypatch.setattr(module, "adam", adam)
    monkeypatch.setattr(Optimisers, "step", step)
    monkeypatch.setattr(policy_module, "ANCHOR_BATCH", 2)
    return seen


@pytest.mark.parametrize("make", [stand_in, stage1, stage2_blocks, stage2_lora], ids=lambda make: make.__name__)
def test_nothing_of_a_step_is_computed_elsewhere_and_nothing_is_waited_for(
    make: Any,  # noqa: ANN401 -- of learners of several kinds
    accelerator: list[Mapping[str, Tensor]],
) -> None:
    learner = make()
    for number, step in enumerate((0, learner.steps - 1), start=1):
        if make is stand_in:
            learner._average = lambda decay: None
        learner.update(step)
        assert len(accelerator) == number
        assert {value.device for value in accelerator[-1].values()} == {META}


@pytest.mark.parametrize("make", [stage3_nft, stage3_grpo, stage3_rejection], ids=lambda make: make.__name__)
def test_an_iteration_waits_for_its_rewards_and_for_each_step_alone(
    make: Any,  # noqa: ANN401 -- as above
    accelerator: list[Mapping[str, Tensor]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rewards: list[Tensor] = []
    score = rewards_module.reward_terms

    def reward_terms(read: Any, scene: Scene, generator: torch.Generator) -> dict[str, Tensor]:  # noqa: ANN401
        terms = score(read, scene, generator)
        rewards.extend(terms.values())
        return {name: torch.zeros(value.shape) for name, value in terms.items()}

    monkeypatch.setattr(policy_module, "reward_terms", reward_terms)
    learner = make()
    iterate = stage3_module.ALGORITHMS[learner._section.algorithm]
    assert isinstance(learner._policy, Policy)
    iterate(learner._policy, learner._step, learner._state.generator)
    assert len(accelerator) == learner._section.updates
    assert {value.device for value in [*rewards, *accelerator[-1].values()]} == {META}


def test_where_there_is_no_accelerator_nothing_is_copied() -> None:
    from components.compute import on_device

    values = torch.ones(3)
    assert on_device(values) is values
