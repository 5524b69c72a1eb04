"""DiffusionNFT: a policy is moved towards its good samples and away from its bad ones on the forward process.

No log-probabilities, any sampler: good samples train v+ = b v + (1 - b) v_old, bad ones v- = (1 + b) v_old - b v, with
b = 1. Source: Zheng et al. 2025, DiffusionNFT: online diffusion reinforcement with forward process. Beyond it: a latent
frame is good or bad by what it earned itself, a group shares its noise, and times are late.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from components.backbones.adapters import POLICY, adapter_off
from components.backbones.base import Condition, per_sample
from components.compute import on_device
from components.training import forward_process
from components.training.diffusion import Noised, add_noise, in_parts
from components.training.policy import Judged, Policy, Step
from components.training.ranks import share_of

LEAST_TIME = 0.7  # a group's gradient at .5 is a sixth of what it is at .95, at .25 an eighteenth
SPREAD = 3.0  # deviations of advantage from the worst to the best


def iterate(policy: Policy, step: Step, generator: torch.Generator) -> Mapping[str, float]:
    """One iteration; its figures."""
    return forward_process.iterate(policy, step, generator, _losses)


def _losses(policy: Policy, judged: Judged, chosen: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
    """The loss of whole groups of samples, each group at a random time, in parts whose sum it is.

    A group shares its time and its noise. What its samples then have in common cancels, because their advantages sum to
    zero. Each rank computes its share of the samples.
    """
    backbone, group, given = policy.backbone, policy.section.group_size, policy.backbone.given
    drawn = backbone.sample_times(len(chosen) // group, generator)
    share = share_of(len(chosen))
    times = on_device(share.of((LEAST_TIME + (1 - LEAST_TIME) * drawn).repeat_interleave(group)))
    noise = share.of(policy.noise(len(chosen) // group, generator).repeat_interleave(group, 0))
    chosen = share.of(chosen)
    clean, condition = judged.latents[chosen], judged.condition[chosen]
    good = (0.5 + judged.advantages[chosen, given:] / SPREAD).clamp(0, 1)
    for part in in_parts(clean, most=len(clean)):
        noised = add_noise(backbone, clean[part], times[part], noise[part])
        yield _loss(policy, clean[part], noised, condition[part], good[part]) * (len(good[part]) / len(good))


def _loss(policy: Policy, clean: Tensor, noised: Noised, condition: Condition, good: Tensor) -> Tensor:
    """The loss of samples whose latent frames are as good (B,F) as that, of 0 to 1."""
    backbone, section = policy.backbone, policy.section
    with policy.as_remembered():
        old = backbone.predict(noised.noisy, noised.times, condition).output
    new = backbone.predict(noised.noisy, noised.times, condition).output
    towards = _clean_error(policy, noised, new, clean)
    away = _clean_error(policy, noised, 2 * old - new, clean)
    loss = (good * towards + (1 - good) * away).mean()
    if section.kl:
        with torch.no_grad(), adapter_off(backbone, POLICY):
            reference = backbone.predict(noised.noisy, noised.times, condition).output
        loss = loss + section.kl * (new - reference)[:, :, backbone.given :].square().mean()
    return loss


def _clean_error(policy: Policy, noised: Noised, output: Tensor, clean: Tensor) -> Tensor:
    """Squared error (B,F) of the clean latents that an output stands for, over the sample's detached mean error."""
    estimate, _ = policy.backbone.split(noised.noisy, output, noised.times)
    error = (estimate - clean)[:, :, policy.backbone.given :]
    scale = error.detach().abs().flatten(1).mean(1).clamp(min=1e-3)
    return (error.square() / per_sample(scale, error)).mean((1, 3, 4))
