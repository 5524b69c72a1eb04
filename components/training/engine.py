"""How a transformer trains where memory or time is short: by block recomputed, sharded over ranks, compiled."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from components.backbones.base import Backbone
from components.compute import device, mixed_precision
from components.training import ranks

if TYPE_CHECKING:
    from components.params import Resources


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What is done to each block. It changes how results are rounded and nothing else.

    checkpointing: its inner values are computed again in the backward pass; shard: each rank keeps a part of its
    weights (FSDP2); compile: by torch.compile.
    """

    checkpointing: bool = False
    shard: bool = False
    compile: bool = False


PLAIN = Engine()


def engine_of(resources: "Resources") -> Engine:
    """What `resources` asks for."""
    return Engine(checkpointing=resources.checkpointing, shard=resources.shard, compile=resources.compile)


def place(backbone: Backbone, engine: Engine) -> None:
    """Put a transformer where models compute; before its optimisers are made and after its adapters are.

    Hooks on a block, by which its output is tapped, see it from outside as before.
    """
    backbone.transformer.to(device())
    for block in backbone.blocks():
        inner: Any = block
        if engine.compile:
            inner.forward = torch.compile(block.forward)
        if engine.checkpointing:
            inner.forward = _recomputed(block.forward)
    if engine.shard and ranks.size() > 1:
        ranks.shard(backbone.transformer, backbone.blocks())


def _recomputed(forward: Callable[..., Any]) -> Callable[..., Any]:
    """`forward`, of which only the inputs are kept for the backward pass."""

    def run(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- of any block
        if not torch.is_grad_enabled():
            return forward(*arguments, **named)
        return checkpoint(
            forward,
            *arguments,
            use_reentrant=False,
            preserve_rng_state=False,  # nothing in a block is drawn
            context_fn=lambda: (nullcontext(), mixed_precision()),  # the backward pass runs outside of it
            **named,
        )

    return run


def assemble(module: nn.Module) -> None:
    """Give every rank the whole weights of a module that was sharded: to write it. It cannot be run any more."""
    for part in module.modules():
        for name, value in list(part.named_parameters(recurse=False)):
            if ranks.is_sharded(value):
                whole = nn.Parameter(ranks.whole(value.detach()).cpu(), requires_grad=value.requires_grad)
                part.register_parameter(name, whole)
