"""Published models without their values: on torch's meta device, in the published shape and precision.

What a stage needs of memory is planned by them, without a download.
"""

from dataclasses import dataclass
from typing import Any

import torch

from components.backbones.base import Backbone, Codec


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A published model on the meta device. text_tokens, text_width: L and D; text_weights: of the text encoder."""

    backbone: Backbone
    codec: Codec
    text_tokens: int
    text_width: int
    text_weights: int  # bytes


def in_precision(model: Any, dtype: torch.dtype) -> Any:  # noqa: ANN401 -- the libraries' classes have no types
    """`model`, frozen, its weights in `dtype` but for those that its class keeps in float32, as diffusers loads it."""
    kept: tuple[str, ...] | list[str] = getattr(model, "_keep_in_fp32_modules", None) or ()
    for name, value in model.named_parameters():
        if not any(part in name for part in kept):
            value.data = value.data.to(dtype)
    return model.eval().requires_grad_(False)
