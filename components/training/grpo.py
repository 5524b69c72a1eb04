"""Clipped policy gradient over stochastic denoising steps, advantages relative to a group of one prompt, no critic.

Sources: Flow-GRPO (Liu et al. 2025), Flow-CPS (Wang et al. 2025), DanceGRPO (Xue et al. 2025); steps that are random
within a window alone: MixGRPO (Li et al. 2025).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from components.backbones.adapters import POLICY, adapter_off
from components.backbones.base import Condition
from components.training.diffusion import CHUNK, in_parts, with_given
from components.training.policy import Policy, Step
from components.training.ranks import gather, share_of
from components.training.rewards import overall
from components.training.transitions import Gaussian

if TYPE_CHECKING:
    from components.params import Stage3

LOSS_SCALE = 100.0  # ratios move by 1e-4 a step: brings gradients to the anchor's size


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A step that was drawn: from `noisy` at `now` to `drawn` at `after`, and its log-probability (B,) then."""

    noisy: Tensor
    drawn: Tensor
    now: Tensor
    after: Tensor
    log_probability: Tensor

    def gathered(self) -> "Transition":
        """The samples of all ranks; a whole path of them would not fit beside the model."""
        return Transition(**{name: gather(values) for name, values in vars(self).items()})


def iterate(policy: Policy, step: Step, generator: torch.Generator) -> Mapping[str, float]:
    """Sample groups with noise on the way, judge them, and do `updates` optimiser steps; the iteration's figures."""
    section = policy.section
    numbers, condition = policy.prompts(generator)
    noise = policy.noise(section.prompts, generator).repeat_interleave(section.group_size, 0)  # as DanceGRPO does
    path, latents = _rollout(policy, noise, condition, generator)
    judged = policy.judge(latents, numbers, condition, generator)
    gains = overall(judged.advantages)
    clipped: list[float] = []
    shifts: list[float] = []
    order = torch.randperm(len(latents), generator=generator)
    for together in order.tensor_split(section.updates):
        chosen = share_of(len(together)).of(together)
        trained = torch.randperm(len(path), generator=generator)[: section.times].tolist()
        parts = len(trained)
        figures = [
            _backward(policy, path[number].gathered(), condition, chosen, gains[chosen], parts=parts)
            for number in trained
        ]
        if section.anchor:
            for loss in policy.anchor(generator):
                (section.anchor * loss).backward()
        found = step({f"{name} {number}": value for number, one in enumerate(figures) for name, value in one.items()})
        clipped.extend(value for name, value in found.items() if name.startswith("clipped"))
        shifts.extend(value for name, value in found.items() if name.startswith("shift"))
    return {**judged.means, "clipped": sum(clipped) / len(clipped), "ratio_shift": sum(shifts) / len(shifts)}


def _backward(
    policy: Policy, transition: Transition, condition: Condition, chosen: Tensor, gain: Tensor, *, parts: int
) -> dict[str, Tensor]:
    """Gradients of one step's objective and divergence, over `parts` steps; how many ratios were clipped, and moved."""
    section = policy.section
    ratios, clipped = [], []
    for part in in_parts(transition.noisy[chosen], most=len(chosen)):
        some, share = chosen[part], len(chosen[part]) / len(chosen)
        ratio = _ratio(policy, transition, condition, some)
        bounded = ratio.clamp(1 - section.clip, 1 + section.clip)
        loss = torch.maximum(-gain[part] * ratio, -gain[part] * bounded).mean()
        (share * LOSS_SCALE * loss / parts).backward()
        if section.kl:
            divergence = _divergence(policy, transition, condition, some)
            (share * LOSS_SCALE * section.kl * divergence / parts).backward()
        ratios.append(ratio.detach())
        clipped.append(ratio.detach() != bounded.detach())
    return {"clipped": torch.cat(clipped).float().mean(), "shift": (torch.cat(ratios) - 1).abs().mean()}


@torch.no_grad()
def _rollout(
    policy: Policy, noise: Tensor, condition: Condition, generator: torch.Generator
) -> tuple[list[Transition], Tensor]:
    """The stochastic steps of this rank's samples, and all latents after the last one, which is deterministic."""
    backbone, section, share = policy.backbone, policy.section, share_of(len(noise))
    random = _random_steps(section, generator)
    times = backbone.schedule(section.sampler_steps).to(noise.device)
    path: list[Transition] = []
    noisy, given = share.of(noise), condition[share.index]
    for number in range(section.sampler_steps):
        now, after = (times[place].expand(len(noisy)) for place in (number, number + 1))
        gaussian = _gaussian(policy, noisy, now, after, given, noise=section.noise if number in random else 0.0)
        drawn = gaussian.draw(generator, share) if number in random else gaussian.mean
        if number in random:
            log_probability = gaussian.log_probability(drawn, given=backbone.given)
            path.append(Transition(noisy=noisy, drawn=drawn, now=now, after=after, log_probability=log_probability))
        noisy = drawn
    return path, gather(with_given(backbone, noisy, given))


def _random_steps(section: "Stage3", generator: torch.Generator) -> range:
    """Numbers of the steps that are drawn: all but the last, whose deviation is 0; or `window` of them, anywhere."""
    steps = section.sampler_steps - 1
    if not section.window:
        return range(steps)
    start = int(torch.randint(steps - section.window + 1, (), generator=generator))
    return range(start, start + section.window)


def _ratio(policy: Policy, transition: Transition, condition: Condition, chosen: Tensor) -> Tensor:
    """Probability of the drawn steps now, over what it was (B,)."""
    gaussian = _of_policy(policy, transition, condition, chosen)
    now = gaussian.log_probability(transition.drawn[chosen], given=policy.backbone.given)
    return (now - transition.log_probability[chosen]).exp()


def _divergence(policy: Policy, transition: Transition, condition: Condition, chosen: Tensor) -> Tensor:
    """KL of the policy's steps to those of the model without its adapter."""
    gaussian = _of_policy(policy, transition, condition, chosen)
    with torch.no_grad(), adapter_off(policy.backbone, POLICY):
        reference = _of_policy(policy, transition, condition, chosen)
    apart = (gaussian.mean - reference.mean)[:, :, policy.backbone.given :].square().flatten(1).mean(1)
    return (apart / (2 * gaussian.deviation.square())).mean()


def _of_policy(policy: Policy, transition: Transition, condition: Condition, chosen: Tensor) -> Gaussian:
    return _gaussian(
        policy,
        transition.noisy[chosen],
        transition.now[chosen],
        transition.after[chosen],
        condition[chosen],
        noise=policy.section.noise,
    )


def _gaussian(
    policy: Policy, noisy: Tensor, now: Tensor, after: Tensor, condition: Condition, *, noise: float
) -> Gaussian:
    """The policy's step, in chunks where no gradient is wanted."""
    backbone = policy.backbone
    together = in_parts(noisy, most=len(noisy) if torch.is_grad_enabled() else CHUNK)
    outputs = [backbone.predict(noisy[part], now[part], condition[part]).output for part in together]
    return policy.transition(backbone, noisy, torch.cat(outputs), now, after, noise=noise)
