"""Optimisers of the stages: Muon on the blocks' matrices, AdamW on all else, one schedule over both.

Muon (Jordan et al. 2024) is what lets the tiny twins learn within minutes: the same steps with AdamW alone end far
higher.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from components.compute import has_fast_bfloat16
from components.errors import Phys4dError
from components.training import ranks
from components.training.muon import Float32Muon

WARM_UP = 20  # steps
DECAY_FROM = 0.5  # of all steps
LEAST = 0.02  # of the learning rate, at the end
LARGEST_NORM = 1.0  # of the gradient
SMALLEST_MATRIX = 64  # rows and columns: a smaller matrix is AdamW's
DECAY = 0.01  # of Muon's weights


GRADIENT = "the gradient's norm"
NOTHING: Mapping[str, Tensor] = MappingProxyType({})


class DivergedError(Phys4dError):
    """A figure of a step is not finite; nothing was changed by that step."""

    def __init__(self, figure: str, value: float) -> None:
        super().__init__(f"{figure} is {value}, expected a finite number: lower the learning rates")


class Optimisers:
    """Several optimisers that step together; each group's learning rate is scaled by the schedule."""

    def __init__(self, members: Sequence[torch.optim.Optimizer], clipped: Sequence[Iterable[Tensor]]) -> None:
        self.members = list(members)
        self._clipped = [list(group) for group in clipped]
        self._rates = [[group["lr"] for group in member.param_groups] for member in members]

    def step(self, factor: float, figures: Mapping[str, Tensor] = NOTHING) -> dict[str, float]:
        """Clip each group by its own norm, step with learning rates times `factor`, forget the gradients.

        Gradients are averaged over the ranks before. `figures` are scalars of the step; their means over the ranks.
        DivergedError when one of them or a gradient is not finite: no step is done. It is the one moment of a step at
        which the accelerator is waited for.
        """
        parameters = [value for group in self._clipped for value in group]
        ranks.average_([value.grad for value in parameters if value.grad is not None])
        norms = [ranks.whole(torch.nn.utils.clip_grad_norm_(group, LARGEST_NORM)) for group in self._clipped]
        found = self._look(figures, norms)
        for member, rates in zip(self.members, self._rates, strict=True):
            for group, rate in zip(member.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            member.step()
        self.forget()
        return found

    def forget(self) -> None:
        """Drop all gradients."""
        for member in self.members:
            member.zero_grad()

    def _look(self, figures: Mapping[str, Tensor], norms: Sequence[Tensor]) -> dict[str, float]:
        """The figures as numbers, the same on all ranks; DivergedError names the first that is not finite."""
        values = torch.stack([value.detach().float() for value in (*figures.values(), *norms)])
        ranks.average_([values])
        names = [*figures, *[GRADIENT] * len(norms)]
        found = list(zip(names, values.tolist(), strict=True))
        for name, value in found:
            if not math.isfinite(value):
                raise DivergedError(name, value)
        return dict(found[: len(figures)])

    def state(self) -> dict[str, Tensor]:
        """All that steps change, as flat tensors."""
        return {
            f"{number}.{index}.{name}": ranks.whole(torch.as_tensor(value))
            for number, member in enumerate(self.members)
            for index, values in member.state_dict()["state"].items()
            for name, value in values.items()
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        for number, member in enumerate(self.members):
            parameters = [value for group in member.param_groups for value in group["params"]]
            inner: dict[int, dict[str, Any]] = {}
            for key, value in state.items():
                owner, index, name = key.split(".", 2)
                if int(owner) == number:
                    inner.setdefault(int(index), {})[name] = _beside(value.clone(), parameters[int(index)])
            member.load_state_dict({"state": inner, "param_groups": member.state_dict()["param_groups"]})


def _beside(value: Tensor, parameter: Tensor) -> Tensor:
    """A value of an optimiser's state, sharded as its parameter is where it has a number for each of its numbers."""
    return ranks.like(value, parameter) if value.shape == parameter.shape else value


def schedule(step: int, steps: int) -> float:
    """Factor of the learning rate: linear warm-up, a plateau, linear decay from half way."""
    remaining = (1 - step / steps) / (1 - DECAY_FROM)
    return min(1.0, (step + 1) / WARM_UP) * min(1.0, max(LEAST, remaining))


def adam(parameters: Iterable[Tensor], learning_rate: float) -> torch.optim.AdamW:
    """AdamW without decay, with betas for few steps."""
    return torch.optim.AdamW(list(parameters), learning_rate, weight_decay=0.0, betas=(0.9, 0.98), fused=True)


def muon_and_adam(
    transformer: nn.Module,
    *,
    learning_rate: float,
    muon_learning_rate: float,
    others: Iterable[Tensor] = (),
    others_learning_rate: float = 0.0,
) -> Optimisers:
    """Muon on the trainable matrices of a transformer's blocks, AdamW on its other parameters and on `others`."""
    named = [(name, value) for name, value in transformer.named_parameters() if value.requires_grad]
    matrices = [value for name, value in named if _is_matrix_of_block(name, value)]
    rest = [value for name, value in named if not _is_matrix_of_block(name, value)]
    members: list[torch.optim.Optimizer] = [adam(rest, learning_rate)]
    others = list(others)
    if others:
        members.append(adam(others, others_learning_rate))
    if matrices:
        muon = torch.optim.Muon if has_fast_bfloat16() else Float32Muon
        members.append(muon(matrices, lr=muon_learning_rate, weight_decay=DECAY, momentum=0.95))
    return Optimisers(members, clipped=[[*rest, *matrices], others])


def _is_matrix_of_block(name: str, value: Tensor) -> bool:
    if ".lora_" in name:  # a factor of a matrix is none, however large it is
        return False
    return value.ndim == 2 and "blocks." in name and min(value.shape) >= SMALLEST_MATRIX
