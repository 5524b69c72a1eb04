"""Stage 3: reinforcement learning of an adapter with the 4D Chamfer reward, by one of three algorithms."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from components.backbones.adapters import POLICY, adapter_ranks, adapter_tensors, add_adapter
from components.compute import device
from components.model import Model
from components.training import grpo, nft, ranks, rejection
from components.training.engine import PLAIN, Engine, place
from components.training.optimisers import Optimisers, adam
from components.training.policy import Policy, Practice
from components.training.ranks import check_fits
from components.training.state import TrainingState

if TYPE_CHECKING:
    from components.params import Stage3

ALGORITHMS = {"nft": nft.iterate, "grpo": grpo.iterate, "rejection": rejection.iterate}
WARM_UP = 10  # optimiser steps
DECAY = 0.4  # last share of the steps
LEAST = 0.02  # of the learning rate


class Reinforcement:
    """One update is one iteration: sample groups, judge them, a few optimiser steps.

    What is kept is the mean of the policies of the second half: few samples give steps that are mostly noise, and much
    of it cancels.
    """

    def __init__(
        self,
        model: Model,
        practice: Practice,
        section: "Stage3",
        *,
        noise_level: float,
        seed: int,
        engine: Engine = PLAIN,
    ) -> None:
        _check_shared(section)
        self.steps = section.iterations
        self.heads = model.with_heads
        self.changed = model.changed
        self._section = section
        self._below = adapter_ranks(model.backbone)
        self._backbone = model.backbone
        self._done = 0
        add_adapter(model.backbone, POLICY, rank=section.lora_rank, seed=seed)
        place(model.backbone, engine)
        model.with_heads.to(device())
        parameters = [value for value in model.backbone.transformer.parameters() if value.requires_grad]
        self._policy = Policy(model, parameters, practice, section, noise_level)
        self._optimisers = Optimisers([adam(parameters, section.learning_rate)], clipped=[parameters])
        self._state = TrainingState(
            modules={"transformer": model.backbone.transformer},
            optimisers=self._optimisers,
            generator=torch.Generator().manual_seed(seed),
            averages=_copies(self._adapter()),
        )

    def update(self, step: int) -> Mapping[str, float]:
        """One iteration."""
        self._done = step * self._section.updates
        with self._state.undone_if_diverged(steps=self._section.updates):
            figures = ALGORITHMS[self._section.algorithm](self._policy, self._step, self._state.generator)
        self._average(step)
        return figures

    def state(self) -> dict[str, Tensor]:
        """Everything that updates change."""
        return self._state.tensors()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        self._state.load(state, source=Path("checkpoint of stage3"))

    @contextmanager
    def as_if_ended(self, done: int) -> Iterator[dict[str, Tensor]]:
        """The model as training would leave it if it ended after `done` iterations, and its adapter.

        Before the second half begins that is the policy as it is, then the mean of its policies so far.
        """
        learning, averages = _whole(self._adapter()), self._state.averages
        kept = _whole(averages) if done > self.steps // 2 else learning
        self.put(kept)
        try:
            yield kept
        finally:
            self.put(learning)

    def put(self, adapter: Mapping[str, Tensor]) -> None:
        """Give the policy this adapter, which is whole."""
        for name, value in self._adapter().items():
            value.copy_(ranks.like(adapter[name], value))

    @property
    def adapters(self) -> dict[str, int]:
        """Every adapter of the model, with its rank."""
        return {**self._below, POLICY: self._section.lora_rank}

    def _adapter(self) -> dict[str, Tensor]:
        return adapter_tensors(self._backbone, POLICY)

    def _average(self, step: int) -> None:
        first, averages = self.steps // 2, self._state.averages
        for name, value in self._adapter().items():
            if step >= first:
                averages[name].lerp_(value, 1 / (step - first + 1))
            if step == self.steps - 1:
                value.copy_(averages[name])

    def _step(self, figures: Mapping[str, Tensor]) -> Mapping[str, float]:
        remaining = (1 - self._done / (self.steps * self._section.updates)) / DECAY
        factor = min(1.0, (self._done + 1) / WARM_UP) * min(1.0, max(LEAST, remaining))
        self._done += 1
        return self._optimisers.step(factor, figures)


def _check_shared(section: "Stage3") -> None:
    """ParametersError when ranks cannot share the samples of an iteration, and those of each optimiser step."""

    def fits(group: int) -> bool:
        samples = torch.arange(section.prompts * group)
        steps = samples.tensor_split(section.updates)
        if section.algorithm != "grpo":  # whole groups
            steps = samples.view(section.prompts, group).tensor_split(section.updates)
        return all(step.numel() % ranks.size() == 0 for step in (samples, *steps))

    check_fits(section.group_size, fits, field="stage3.group_size")


def _copies(adapter: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in adapter.items()}


def _whole(adapter: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies of all of it, also where each rank holds a part."""
    return {name: ranks.whole(value).clone() for name, value in adapter.items()}
