"""What a stage needs of memory, in named figures, found by running its own learner once on tensors without values."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_pre_hook

from components.planning.ledger import Choices, Ledger, bytes_of, without_values
from components.planning.works import WORKS
from components.training import engine

if TYPE_CHECKING:
    from components.params import Params

STATES = {torch.optim.AdamW: 2, torch.optim.Muon: 1}  # tensors of a parameter's size that an optimiser keeps
MOST_STATES = 2


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Bytes.

    weights: of transformer, autoencoder, heads, adapters, and of the text encoder where captions are embedded; these,
    gradients and optimiser are a rank's share where they are sharded.
    averages: of weights. activations: kept for the backward pass. temporaries: the most that is there beside all
    others at once. data: latents, text, truth or labels of all clips of a split, which training holds in memory.
    reading: beside the data while they are read, and gone when training begins.
    """

    weights: int
    gradients: int
    optimiser: int
    averages: int
    activations: int
    temporaries: int
    data: int
    reading: int

    @property
    def training(self) -> int:
        """Gradients, optimiser and averages."""
        return self.gradients + self.optimiser + self.averages

    @property
    def computing(self) -> int:
        """All but weights and data: what comes and goes with the updates."""
        return self.training + self.activations + self.temporaries

    @property
    def total(self) -> int:
        """The most at once, as far as it can be told."""
        return self.weights + self.data + max(self.computing, self.reading)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What a ledger saw of a piece of work. held: before it began; kept: for backward; peak: the most at once."""

    held: int
    kept: int
    peak: int
    gradients: int
    optimiser: int


def estimate(params: "Params", backbone: str, stage: str, *, accelerated: bool) -> Estimate | None:
    """What stage `stage` of a backbone needs; None where it holds no model, as prepare of published weights."""
    with without_values(fused_attention=accelerated), _recomputing_so(accelerated=accelerated), Ledger() as ledger:
        work = WORKS[stage](params, backbone)
        if work is None:
            return None
        seen = trace(work.do, ledger)
    data, weights, ranks = bytes_of(work.data), work.model.weights, _shares(params)
    return Estimate(
        weights=weights // ranks + work.model.text_weights(embedding=work.embeds),
        gradients=seen.gradients // ranks,
        optimiser=seen.optimiser // ranks,
        averages=seen.held - weights - data,
        activations=seen.kept,
        temporaries=max(0, seen.peak - seen.held - seen.kept - seen.gradients) + work.later,
        data=data,
        reading=work.reading,
    )


@contextmanager
def _recomputing_so(*, accelerated: bool) -> Iterator[None]:
    """Have blocks that are recomputed in the backward pass be so without values too: torch leaves its modes there."""
    module: Any = engine  # which imports it by name
    usual = module.mixed_precision

    @contextmanager
    def without_values_too() -> Iterator[None]:
        with usual(), torch.device("meta"), Choices(fused_attention=accelerated):
            yield

    module.mixed_precision = without_values_too
    try:
        yield
    finally:
        module.mixed_precision = usual


def _shares(params: "Params") -> int:
    """Over how many ranks weights, gradients and optimisers are spread."""
    if not params.resources.shard:
        return 1
    return int(os.environ.get("WORLD_SIZE", params.resources.ranks))


def trace(do: Callable[[], object], ledger: Ledger) -> Trace:
    """Do some work until a model is asked again after a step; what is alive when it begins was there before it."""
    held = ledger.hold()
    with torch.autograd.graph.saved_tensors_hooks(ledger.keep, lambda tensor: tensor), _one_step() as step:
        do()
    return Trace(
        held=held, kept=ledger.most_waiting, peak=ledger.peak, gradients=step.gradients, optimiser=step.optimiser
    )


class _EnoughSeen(BaseException):
    """Ends an iteration of several steps after the first: no error, and nobody else's to handle."""


class _Step:
    """The first step of every optimiser: gradients and state in bytes, without its computations."""

    def __init__(self) -> None:
        self.gradients = self.optimiser = 0
        self.done = False

    def __call__(self, optimiser: torch.optim.Optimizer, _args: object, _kwargs: object) -> None:
        self.done = True
        parameters = [value for group in optimiser.param_groups for value in group["params"]]
        kept = next((states for kind, states in STATES.items() if isinstance(optimiser, kind)), MOST_STATES)
        self.optimiser += kept * bytes_of(parameters)
        self.gradients += bytes_of(value.grad for value in parameters if value.grad is not None)
        for value in parameters:
            value.grad = None  # then the step itself has nothing to do

    def before_forward(self, _module: object, _inputs: object) -> None:
        """End the work where another step would begin."""
        if self.done:
            raise _EnoughSeen


@contextmanager
def _one_step() -> Iterator[_Step]:
    step = _Step()
    hooks = [register_optimizer_step_pre_hook(step), register_module_forward_pre_hook(step.before_forward)]
    try:
        yield step
    except _EnoughSeen:
        pass
    finally:
        for hook in hooks:
            hook.remove()
