"""A policy whose reward is read off its latents, so that reinforcement learning is tested without a reader."""

from collections.abc import Mapping

import torch
from torch import Tensor

from components.backbones.adapters import POLICY, add_adapter
from components.backbones.base import Condition
from components.params import Stage3
from components.training.diffusion import sample
from components.training.optimisers import Optimisers, adam
from components.training.policy import Judged, Policy, Step
from components.training.rewards import advantages
from tests.training.twins import STAGE3, make_model, make_practice

TOY = STAGE3.model_copy(
    update={"prompts": 2, "group_size": 8, "sampler_steps": 4, "updates": 2, "times": 2, "anchor": 0.0, "kl": 0.0}
)
FRAMES_PER_LATENT = 4


class ToyPolicy(Policy):
    """The reward of a frame is its mean of the first channel: every sample can have more of it."""

    sign = 1.0

    def judge(self, latents: Tensor, numbers: Tensor, condition: Condition, generator: torch.Generator) -> Judged:
        reward = self.sign * latents[:, 0, 1:].mean((2, 3)).repeat_interleave(FRAMES_PER_LATENT, 1)
        spans = self.backbone.frames_of_latent(1 + reward.shape[1])
        return Judged(
            latents=latents,
            condition=condition,
            advantages=advantages({"chamfer": reward}, self.section.reward, group=self.section.group_size, spans=spans),
            means={"reward_chamfer": reward.mean().item()},
        )


def reward_of(latents: Tensor) -> Tensor:
    """Mean (B,) of the first channel over the frames that are not given."""
    return latents[:, 0, 1:].mean((1, 2, 3))


def make_toy(section: Stage3 = TOY, *, rate: float = 1e-2) -> tuple[ToyPolicy, Optimisers]:
    """A policy with a fresh adapter, and its optimiser."""
    model = make_model()
    parameters = add_adapter(model.backbone, POLICY, rank=section.lora_rank, seed=1)
    policy = ToyPolicy(model, parameters, make_practice(), section, 0.05)
    return policy, Optimisers([adam(parameters, rate)], clipped=[parameters])


def stepping(optimisers: Optimisers) -> Step:
    """Full steps, one after the other."""

    def step(figures: Mapping[str, Tensor]) -> Mapping[str, float]:
        return optimisers.step(1.0, figures)

    return step


def standing(figures: Mapping[str, Tensor]) -> Mapping[str, float]:
    """No step at all."""
    return {name: value.item() for name, value in figures.items()}


def measured(policy: Policy) -> float:
    """The reward of the same sixteen samples without noise on the way, whatever was trained on."""
    generator = torch.Generator().manual_seed(99)
    batch = make_practice().data.batch(torch.arange(16) % 8)
    noise = torch.randn(batch.clean.shape, generator=generator)
    return reward_of(sample(policy.backbone, noise, batch.condition, steps=4)).mean().item()
