"""An iteration that learns from its own samples on the forward process: they are noised again, as data are.

No log-probabilities, any sampler. What a sample teaches is the algorithm's: `nft`, `rejection`.
"""

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from components.training.diffusion import sample
from components.training.policy import Judged, Policy, Step
from components.training.ranks import gather, share_of

Losses = Callable[[Policy, Judged, Tensor, torch.Generator], Iterator[Tensor]]
"""The loss of whole groups of judged samples, given by their numbers, in parts whose sum it is."""


def iterate(policy: Policy, step: Step, generator: torch.Generator, losses: Losses) -> Mapping[str, float]:
    """Sample groups, judge them, and do `updates` optimiser steps; the figures of the iteration."""
    section = policy.section
    numbers, condition = policy.prompts(generator)
    noise, share = policy.noise(len(numbers), generator), share_of(len(numbers))
    latents = gather(sample(policy.backbone, share.of(noise), condition[share.index], steps=section.sampler_steps))
    judged = policy.judge(latents, numbers, condition, generator)
    policy.remember()
    figures: list[float] = []
    samples = torch.arange(len(latents)).view(section.prompts, section.group_size)
    for groups in torch.randperm(section.prompts, generator=generator).tensor_split(section.updates):
        found = {}
        for number in range(section.times):
            parts = []
            for loss in losses(policy, judged, samples[groups].flatten(), generator):
                (loss / section.times).backward()
                parts.append(loss.detach())
            found[f"loss {number}"] = torch.stack(parts).sum()
        if section.anchor:
            for loss in policy.anchor(generator):
                (section.anchor * loss).backward()
        figures.extend(step(found).values())
    return {**judged.means, "loss": sum(figures) / len(figures)}
