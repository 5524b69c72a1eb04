"""Stochastic denoising transitions, and their log-probabilities.

A transition is Gaussian: mean (B,C,F,h,w) and standard deviation, from the time `now` to `after`.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from components.backbones.base import Backbone, per_sample
from components.errors import ParametersError
from components.training.ranks import Share, all_of


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    """Mean (B,C,F,h,w) and standard deviation (B,), the same for all values of a sample."""

    mean: Tensor
    deviation: Tensor

    def draw(self, generator: torch.Generator, share: Share | None = None) -> Tensor:
        """A sample, its noise drawn for all ranks' samples where this is a share of them."""
        noise = (share or all_of(len(self.mean))).noise(self.mean.shape[1:], generator)
        return self.mean + per_sample(self.deviation, self.mean) * noise

    def log_probability(self, value: Tensor, *, given: int) -> Tensor:
        """log p (B,), the mean over the values of the latent frames that are not given, in float32."""
        deviation = per_sample(self.deviation, self.mean)
        scaled = (value - self.mean) / deviation
        density = -0.5 * scaled.square() - deviation.log() - 0.5 * math.log(2 * math.pi)
        return density[:, :, given:].flatten(1).mean(1)


class Transition(Protocol):
    """What makes a sampler's step random."""

    def __call__(
        self, backbone: Backbone, noisy: Tensor, output: Tensor, now: Tensor, after: Tensor, *, noise: float
    ) -> Gaussian:
        """The step from `noisy` (B,C,F,h,w), given the network's output for it; with noise 0 it is not random."""
        ...


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


def marginal_preserving(
    backbone: Backbone, noisy: Tensor, output: Tensor, now: Tensor, after: Tensor, *, noise: float
) -> Gaussian:
    """Flow-GRPO: a step of the stochastic equation with the sampler's own marginals (Liu et al. 2025).

    With velocity v = residual - clean, step dt = after - now and g = noise sqrt(now / (1 - now)):
    mean = x (1 + g^2 dt / (2 now)) + v (1 + g^2 (1 - now) / (2 now)) dt, deviation = g sqrt(-dt).
    At now = 1 its g is taken with 1 - after.
    With noise 0 it is the deterministic sampler. Of rectified flow alone, whose path is (1 - t, t).
    """
    clean, residual = backbone.split(noisy, output, now)
    clear = torch.where(now < 1, 1 - now, 1 - after)
    square = noise**2 * now / clear  # g^2
    step = after - now
    keep, move = 1 + square * step / (2 * now), (1 + square * (1 - now) / (2 * now)) * step
    mean = per_sample(keep, noisy) * noisy + per_sample(move, noisy) * (residual - clean)
    return Gaussian(mean=mean, deviation=(-square * step).sqrt())


TRANSITIONS: dict[str, Transition] = {"cps": coefficients_preserving, "ddim": eta_ddim, "sde": marginal_preserving}


def transition_of(backbone: Backbone, name: str) -> Transition:
    """The transition that `stage3.transition` names; ParametersError where the backbone's path does not allow it."""
    if name == "sde" and not _is_rectified_flow(backbone):
        raise ParametersError(
            f"stage3.transition: sde is of rectified flow, which {backbone.name} is not; expected cps or ddim"
        )
    return TRANSITIONS[name]


def _is_rectified_flow(backbone: Backbone) -> bool:
    times = torch.linspace(0, 1, 5)
    alpha, sigma = backbone.path(times)
    return torch.allclose(alpha, 1 - times) and torch.allclose(sigma, times)
