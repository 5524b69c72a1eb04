"""Stochastic denoising transitions, and their log-probabilities.

A transition is Gaussian: mean (B,C,F,h,w) and standard deviation, from the time `now` to `after`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from components.backbones.base import Backbone, per_sample


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    """Mean (B,C,F,h,w) and standard deviation (B,), the same for all values of a sample."""

    mean: Tensor
    deviation: Tensor

    def draw(self, generator: torch.Generator) -> Tensor:
        """A sample."""
        noise = torch.randn(self.mean.shape, generator=generator)
        return self.mean + per_sample(self.deviation, self.mean) * noise

    def log_probability(self, value: Tensor, *, given: int) -> Tensor:
        """log p (B,), the mean over the values of the latent frames that are not given, in float32."""
        deviation = per_sample(self.deviation, self.mean)
        scaled = (value - self.mean) / deviation
        density = -0.5 * scaled.square() - deviation.log() - 0.5 * math.log(2 * math.pi)
        return density[:, :, given:].flatten(1).mean(1)


def coefficients_preserving(
    backbone: Backbone, noisy: Tensor, output: Tensor, now: Tensor, after: Tensor, *, noise: float
) -> Gaussian:
    """Flow-CPS: the noise level after the step is the path's own, part of it fresh (Wang et al. 2025).

    deviation = sigma' sin(noise pi / 2), mean = alpha' clean + sqrt(sigma'^2 - deviation^2) residual.
    With noise 0 it is the deterministic sampler.
    """
    _, sigma = backbone.path(after)
    return _step(backbone, noisy, output, now, after, deviation=sigma * math.sin(noise * math.pi / 2))


def eta_ddim(
    backbone: Backbone, noisy: Tensor, output: Tensor, now: Tensor, after: Tensor, *, noise: float
) -> Gaussian:
    """Generalised DDIM: `noise` (eta) 1 is ancestral sampling, 0 the deterministic sampler (Song et al. 2021, eq. 16).

    deviation = eta sigma' sqrt(1 - (alpha sigma' / (alpha' sigma))^2), which on the path alpha^2 + sigma^2 = 1 is
    eta sqrt((1 - alpha'^2) / (1 - alpha^2) (1 - alpha^2 / alpha'^2)). Finite where nothing of the signal is left
    (alpha = 0); `now` is above 0 and `after` below 1. The mean is Flow-CPS's: only the share of fresh noise differs.
    """
    alpha, sigma = backbone.path(now)
    alpha_after, sigma_after = backbone.path(after)
    kept = (alpha * sigma_after / (alpha_after * sigma)).square()
    deviation = noise * sigma_after * (1 - kept).clamp(min=0).sqrt()
    return _step(backbone, noisy, output, now, after, deviation=deviation)


def _step(
    backbone: Backbone, noisy: Tensor, output: Tensor, now: Tensor, after: Tensor, *, deviation: Tensor
) -> Gaussian:
    """The path's own noise level at `after`, with noise of `deviation` (B,) fresh and what is left of it kept."""
    clean, residual = backbone.split(noisy, output, now)
    alpha, sigma = backbone.path(after)
    kept = (sigma.square() - deviation.square()).clamp(min=0).sqrt()
    return Gaussian(mean=per_sample(alpha, noisy) * clean + per_sample(kept, noisy) * residual, deviation=deviation)
