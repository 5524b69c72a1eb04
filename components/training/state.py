"""What training changes, as one flat mapping of tensors: trainable weights, averages, optimisers, generators."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from components.backbones.adapters import copy_into
from components.training import ranks
from components.training.optimisers import DivergedError, Optimisers


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """The parts of a learner that change. Of modules only what requires a gradient is kept: the rest is as loaded."""

    modules: Mapping[str, nn.Module]
    optimisers: Optimisers
    generator: torch.Generator
    averages: Mapping[str, Tensor]

    def tensors(self) -> dict[str, Tensor]:
        """All of it, by name; all ranks call it, for each may hold a part."""
        return {
            **_prefixed("module", _whole(self._weights())),
            **_prefixed("average", _whole(self.averages)),
            **_prefixed("optimiser", self.optimisers.state()),
            "generator": self.generator.get_state(),
        }

    def load(self, tensors: Mapping[str, Tensor], *, source: Path) -> None:
        """The inverse of `tensors`; Phys4dError when they are of a model of another shape."""
        for own, prefix in ((self._weights(), "module"), (dict(self.averages), "average")):
            found = _without(prefix, tensors)
            copy_into(
                own, {name: ranks.like(value, own.get(name, value)) for name, value in found.items()}, source=source
            )
        self.optimisers.load_state(_without("optimiser", tensors))
        self.generator.set_state(tensors["generator"])

    @contextmanager
    def undone_if_diverged(self, *, steps: int = 1) -> Iterator[None]:
        """Within it an update of so many optimiser steps is done; if it diverges, the state is as it was before.

        With one step only draws have to be undone: the optimiser refuses the step itself.
        """
        generator = self.generator.get_state()
        before = {} if steps == 1 else {name: value.clone() for name, value in self.tensors().items()}
        try:
            yield
        except DivergedError:
            if before:
                self.load(before, source=Path("the state before the step"))
            self.generator.set_state(generator)
            self.optimisers.forget()
            raise

    def _weights(self) -> dict[str, Tensor]:
        return {
            f"{module}.{name}": value.detach()
            for module, owner in self.modules.items()
            for name, value in owner.named_parameters()
            if value.requires_grad
        }


def _whole(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: ranks.whole(value) for name, value in tensors.items()}


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": value for name, value in tensors.items()}


def _without(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}/"
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
