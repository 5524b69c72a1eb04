"""What a stage knows of a video diffusion model: one protocol for every backbone.

Legend: B samples, C channels, F latent frames, h, w latent height and width, T video frames, L text tokens, D width.
Latents are (B,C,F,h,w) float32 in the model's own normalisation; times are (B,), 1 noise and 0 clean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Frames = NDArray[np.uint8]  # B,T,H,W,3


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a video is generated from: latents (B,C,1,h,w) of its first frame, and its text (B,L,D)."""

    first: Tensor
    text: Tensor

    def __getitem__(self, index: Tensor | slice) -> "Condition":
        """The conditions of some samples."""
        return Condition(first=self.first[index], text=self.text[index])

    def repeat(self, count: int) -> "Condition":
        """Every sample `count` times, one after the other."""
        return Condition(first=self.first.repeat_interleave(count, 0), text=self.text.repeat_interleave(count, 0))


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One forward pass: the network's output (B,C,F,h,w), and the hidden states it passed through.

    taps: (B,F,h/patch,w/patch,D) each, from shallow to deep; empty when they were not asked for.
    """

    output: Tensor
    taps: tuple[Tensor, ...]


class Codec(Protocol):
    """Video to latents and back."""

    @property
    def channels(self) -> int:
        """C."""
        ...

    @property
    def spatial_stride(self) -> int:
        """Pixels a latent pixel covers along height and width."""
        ...

    def encode(self, frames: Frames) -> Tensor:
        """Latents (B,C,F,h,w) of frames (B,T,H,W,3); float32, deterministic."""
        ...

    def decode(self, latents: Tensor) -> Frames:
        """Frames (B,T,H,W,3) of latents."""
        ...


class TextEncoder(Protocol):
    """Captions to embeddings."""

    def encode(self, captions: Sequence[str]) -> Tensor:
        """Embeddings (B,L,D); an empty caption is the unconditional one.

        Of a model that masks its padding, rows of zeros are padding.
        """
        ...

    def unread(self, caption: str) -> int:
        """How many tokens at a caption's end are cut off before it is embedded."""
        ...


class Backbone(Protocol):
    """A video diffusion transformer: its path between data and noise, and its forward pass.

    patch: latent pixels a token covers along height and width. given: how many leading latent frames are the
    condition itself, which no loss and no log-probability counts. covers: frames of a latent frame that covers the
    most. adapter_targets: linear layers that LoRA adapts.
    """

    name: str
    size: str
    transformer: torch.nn.Module
    channels: int
    width: int
    patch: int
    given: int
    covers: int
    adapter_targets: tuple[str, ...]

    def check_frames(self, frames: int) -> None:
        """Raise ParametersError when a video of so many frames does not fit."""
        ...

    def frames_of_latent(self, frames: int) -> tuple[range, ...]:
        """The video frames that each latent frame covers."""
        ...

    def blocks(self) -> Sequence[torch.nn.Module]:
        """The transformer's blocks, from first to last."""
        ...

    def path(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """alpha and sigma of noisy = alpha clean + sigma noise, in the shape of `times`."""
        ...

    def sample_times(self, count: int, generator: torch.Generator) -> Tensor:
        """Times (count,) as training draws them."""
        ...

    def schedule(self, steps: int) -> Tensor:
        """Times (steps + 1,) of a sampler, from 1 down to 0."""
        ...

    def target(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """What the network is trained to put out."""
        ...

    def split(self, noisy: Tensor, output: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """The clean latents and the noise that an output stands for."""
        ...

    def predict(self, noisy: Tensor, times: Tensor, condition: Condition, *, taps: Sequence[int] = ()) -> Prediction:
        """One conditional forward pass; `taps` are numbers of blocks whose output is wanted."""
        ...


def per_sample(values: Tensor, like: Tensor) -> Tensor:
    """`values` (B,) with axes of one, so that they broadcast against `like` (B,...)."""
    return values.view(-1, *[1] * (like.ndim - 1))
