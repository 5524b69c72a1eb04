"""The diffusion loss, and videos drawn from a backbone without noise on the way."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from components.backbones.base import Backbone, Condition, Prediction, per_sample
from components.training.ranks import Share, all_of

CHUNK = 24  # samples of a forward pass: larger ones are slower on a CPU, whose allocator returns large blocks
MOST_PIXELS = 64 * 5 * 8 * 8  # of latents that go through together: a laptop's iteration; a video of 49 x 480 x 832


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Clean latents (B,C,F,h,w) and what they are conditioned on; of a larger batch, which share of it they are."""

    clean: Tensor
    condition: Condition
    share: Share | None = None

    def __len__(self) -> int:
        return len(self.clean)

    def noise(self, generator: torch.Generator) -> Tensor:
        """Noise (B,C,F,h,w), drawn for the whole batch, so that it does not depend on who computes which share."""
        return (self.share or all_of(len(self))).noise(self.clean.shape[1:], generator)


@dataclass(frozen=True, kw_only=True)
class Noised:
    """Latents on the path between data and noise: noisy = alpha clean + sigma noise at `times` (B,)."""

    noisy: Tensor
    noise: Tensor
    times: Tensor


def add_noise(backbone: Backbone, clean: Tensor, times: Tensor, noise: Tensor) -> Noised:
    """Latents (B,C,F,h,w) as they are at `times` (B,) on their way to `noise`."""
    alpha, sigma = (per_sample(value, clean) for value in backbone.path(times))
    return Noised(noisy=alpha * clean + sigma * noise, noise=noise, times=times)


def diffusion_loss(
    backbone: Backbone, batch: Batch, times: Tensor, generator: torch.Generator, *, taps: Sequence[int] = ()
) -> tuple[Tensor, Noised, Prediction]:
    """Mean squared error of the network's output over the latent frames that are not given."""
    noised = add_noise(backbone, batch.clean, times, batch.noise(generator))
    prediction = backbone.predict(noised.noisy, times, batch.condition, taps=taps)
    return output_error(backbone, batch.clean, noised, prediction), noised, prediction


def output_error(backbone: Backbone, clean: Tensor, noised: Noised, prediction: Prediction) -> Tensor:
    """Mean squared error of a network's output over the latent frames that are not given."""
    error = prediction.output - backbone.target(clean, noised.noise, noised.times)
    return error[:, :, backbone.given :].square().mean()


def at_once(shape: Sequence[int]) -> int:
    """How many samples (C,F,h,w) go through a network together, with gradients: the larger each is, the fewer."""
    return max(1, MOST_PIXELS // math.prod(shape[1:]))


def in_parts(latents: Tensor, *, most: int = CHUNK) -> list[slice]:
    """Samples (B,C,F,h,w) by as many as go through a network together, at most `most`."""
    size = min(most, at_once(latents.shape[1:]))
    return [slice(start, start + size) for start in range(0, len(latents), size)]


@torch.no_grad()
def sample(backbone: Backbone, noise: Tensor, condition: Condition, *, steps: int) -> Tensor:
    """Latents (B,C,F,h,w) of the deterministic sampler, from noise to data in `steps` steps."""
    times = backbone.schedule(steps).to(noise.device)
    done = []
    for index in in_parts(noise):
        part, given = noise[index], condition[index]
        for now, after in pairwise(times):
            here = now.expand(len(part))
            clean, residual = backbone.split(part, backbone.predict(part, here, given).output, here)
            alpha, sigma = backbone.path(after)
            part = alpha * clean + sigma * residual
        done.append(with_given(backbone, part, given))
    return torch.cat(done)


def with_given(backbone: Backbone, latents: Tensor, condition: Condition) -> Tensor:
    """`latents` with the frames that are given put in as they are."""
    return torch.cat([condition.first[:, :, : backbone.given], latents[:, :, backbone.given :]], 2)
