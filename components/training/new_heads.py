"""Heads for a model that has none yet."""

from typing import TYPE_CHECKING

import torch

from components.heads import Heads, HeadsShape, make_heads
from components.model import Model

if TYPE_CHECKING:
    from components.params import Heads as HeadsParams


def new_heads(model: Model, section: "HeadsParams", *, seed: int) -> Heads:
    """Heads that fit the model's backbone and codec, their weights drawn from `seed`."""
    shape = HeadsShape(
        taps=section.taps,
        tap_width=model.backbone.width,
        channels=model.codec.channels,
        patch=model.backbone.patch,
        stride=model.codec.spatial_stride,
        width=section.width,
        slots=model.backbone.covers,
        kind=section.kind,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_heads(shape)
