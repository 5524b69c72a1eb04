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
    clean, residual = backbone.split(noisy, output, now)
    alpha, sigma = backbone.path(after)
    deviation = sigma * math.sin(noise * math.pi / 2)
    kept = (sigma.square() - deviation.square()).clamp(min=0).sqrt()
    return Gaussian(mean=per_sample(alpha, noisy) * clean + per_sample(kept, noisy) * residual, deviation=deviation)
