"""Rejection-sampling fine-tuning: the best sample of every group is learned as if it were data, the others are dropped.

It is what the other algorithms have to beat with the same samples and the same reward. The best is learned as often as
its group has samples, at another noise level each time, so that an iteration takes as many examples as theirs. Source:
Dong et al. 2023, RAFT: reward ranked fine-tuning for generative foundation model alignment.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from components.compute import on_device
from components.training import forward_process
from components.training.diffusion import add_noise, in_parts, output_error
from components.training.policy import LEAST_TIME, Judged, Policy, Step
from components.training.ranks import share_of
from components.training.rewards import overall


def iterate(policy: Policy, step: Step, generator: torch.Generator) -> Mapping[str, float]:
    """One iteration; its figures."""
    return forward_process.iterate(policy, step, generator, _losses)


def best_of_groups(chosen: Tensor, gains: Tensor, *, group: int) -> Tensor:
    """The numbers `chosen` (B,) of whole groups, each replaced by that of its group which gained most (samples,)."""
    groups = chosen.view(-1, group)
    best = gains[groups].argmax(1, keepdim=True)
    return groups.gather(1, best).expand_as(groups).flatten()


def _losses(policy: Policy, judged: Judged, chosen: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
    """The diffusion loss of the groups' best samples, in parts whose sum it is."""
    backbone, share = policy.backbone, share_of(len(chosen))
    best = best_of_groups(on_device(chosen), overall(judged.advantages), group=policy.section.group_size)
    times = on_device(share.of(backbone.sample_times(len(best), generator).clamp(min=LEAST_TIME)))
    noise = share.of(policy.noise(len(best), generator))
    best = share.of(best)
    clean, condition = judged.latents[best], judged.condition[best]
    for part in in_parts(clean, most=len(clean)):
        noised = add_noise(backbone, clean[part], times[part], noise[part])
        prediction = backbone.predict(noised.noisy, noised.times, condition[part])
        yield output_error(backbone, clean[part], noised, prediction) * (len(clean[part]) / len(clean))
