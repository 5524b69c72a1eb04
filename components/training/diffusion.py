"""The diffusion loss, and videos drawn from a backbone without noise on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from components.backbones.base import Backbone, Condition, Prediction, per_sample
from components.training.ranks import Share, all_of

CHUNK = 24  # samples of a forward pass: larger ones are slower on a CPU, whose allocator returns large blocks
PIXELS = 5 * 8 * 8  # of a sample's latents up to which that many go through together: the laptop's


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
    error = prediction.output - backbone.target(batch.clean, noised.noise, times)
    return error[:, :, backbone.given :].square().mean(), noised, prediction


def at_once(latents: Tensor) -> int:
    """How many of samples (B,C,F,h,w) go through a network together: the larger each is, the fewer."""
    return max(1, min(CHUNK, CHUNK * PIXELS // latents[0, 0].numel()))


@torch.no_grad()
def sample(backbone: Backbone, noise: Tensor, condition: Condition, *, steps: int) -> Tensor:
    """Latents (B,C,F,h,w) of the deterministic sampler, from noise to data in `steps` steps."""
    times = backbone.schedule(steps).to(noise.device)
    parts, count = [], at_once(noise)
    for start in range(0, len(noise), count):
        part, given = noise[start : start + count], condition[slice(start, start + count)]
        for now, after in pairwise(times):
            here = now.expand(len(part))
            clean, residual = backbone.split(part, backbone.predict(part, here, given).output, here)
            alpha, sigma = backbone.path(after)
            part = alpha * clean + sigma * residual
        parts.append(with_given(backbone, part, given))
    return torch.cat(parts)


def with_given(backbone: Backbone, latents: Tensor, condition: Condition) -> Tensor:
    """`latents` with the frames that are given put in as they are."""
    return torch.cat([condition.first[:, :, : backbone.given], latents[:, :, backbone.given :]], 2)
