"""What both algorithms of stage 3 share: the policy, its prompts, its reader, and the rewards of its samples."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from components.backbones.base import Backbone, Condition
from components.compute import on_device
from components.generate import read_4d
from components.model import Model
from components.training.ahead import Source
from components.training.diffusion import add_noise, in_parts, output_error
from components.training.encoded import Encoded
from components.training.losses import Truth
from components.training.ranks import all_of, gather, is_sharded, rounded_up, share_of
from components.training.rewards import Scene, advantages, rays_of, reward_terms
from components.training.transitions import transition_of

if TYPE_CHECKING:
    from components.params import Stage3

ANCHOR_BATCH = 16  # simulated clips of the anchor loss, or a few more where ranks could not share them
LEAST_TIME = 0.02


class Step(Protocol):
    """An optimiser step on the gradients there are."""

    def __call__(self, figures: Mapping[str, Tensor]) -> Mapping[str, float]:
        """Do it, and give the step's scalars as numbers, their means over the ranks."""
        ...


@dataclass(frozen=True, kw_only=True)
class Practice:
    """Simulated clips to practise on: encoded, with truth and their cameras' intrinsics (N,3,3); so many anchor."""

    data: Encoded
    truth: Source[Truth]
    intrinsics: Tensor
    anchor_batch: int = ANCHOR_BATCH


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Groups of samples: latents (B,C,F,h,w), their conditions, advantages (B,F), and each reward term's mean."""

    latents: Tensor
    condition: Condition
    advantages: Tensor
    means: Mapping[str, float]


class Policy:
    """The stage-2 model with an adapter that learns; its heads read with the adapter off."""

    def __init__(
        self, model: Model, parameters: list[nn.Parameter], practice: Practice, section: "Stage3", noise_level: float
    ) -> None:
        self.backbone: Backbone = model.backbone
        self.parameters = parameters
        self.section = section
        self.transition = transition_of(model.backbone, section.transition)
        self._model, self._practice, self._noise_level = model, practice, noise_level
        self._old = [value.detach().clone() for value in parameters]

    def prompts(self, generator: torch.Generator) -> tuple[Tensor, Condition]:
        """Numbers (B,) of the clips whose first frames are continued, in groups, and their conditions."""
        section, data = self.section, self._practice.data
        chosen = torch.randint(len(data), (section.prompts,), generator=generator)
        numbers = chosen.repeat_interleave(section.group_size)
        return numbers, data.condition(numbers)

    def noise(self, count: int, generator: torch.Generator) -> Tensor:
        """Noise (count,C,F,h,w) to sample from."""
        return all_of(count).noise(self._practice.data.shape, generator)

    def judge(self, latents: Tensor, numbers: Tensor, condition: Condition, generator: torch.Generator) -> Judged:
        """Rewards of generated latents by the reader, as advantages within their groups.

        Each rank reads its share of them; groups and the batch's deviation are those of all ranks together.
        """
        share, practice = share_of(len(latents)), self._practice
        read = rewards_of(
            self._model,
            share.of(latents),
            condition[share.index],
            truth=practice.truth,
            numbers=share.of(numbers),
            intrinsics=practice.intrinsics,
            generator=generator,
            noise_level=self._noise_level,
        )
        terms = {name: gather(values).cpu() for name, values in read.items()}
        return Judged(
            latents=latents,
            condition=condition,
            advantages=on_device(
                advantages(
                    terms,
                    self.section.reward,
                    group=self.section.group_size,
                    spans=self.backbone.frames_of_latent(practice.truth.frames),
                )
            ),
            means={f"reward_{name}": values.mean().item() for name, values in terms.items()},
        )

    def anchor(self, generator: torch.Generator) -> Iterator[Tensor]:
        """Stage 2's diffusion loss on simulated clips: what keeps the policy from drifting off.

        In parts whose sum it is: a part's gradients can be had before the next is computed.
        """
        count = rounded_up(self._practice.anchor_batch)
        share = share_of(count)
        _, batch = self._practice.data.draw(count, generator, share=share)
        times = on_device(share.of(self.backbone.sample_times(count, generator).clamp(min=LEAST_TIME)))
        noise = batch.noise(generator)
        for part in in_parts(batch.clean, most=len(batch)):
            clean, condition = batch.clean[part], batch.condition[part]
            noised = add_noise(self.backbone, clean, times[part], noise[part])
            prediction = self.backbone.predict(noised.noisy, noised.times, condition)
            yield output_error(self.backbone, clean, noised, prediction) * (len(clean) / len(batch))

    @torch.no_grad()
    def remember(self) -> None:
        """Keep the adapter as it is now: the old policy."""
        for kept, value in zip(self._old, self.parameters, strict=True):
            kept.copy_(value)

    @contextmanager
    def as_remembered(self) -> Iterator[None]:
        """The old policy, without gradients."""
        self._swap()
        try:
            with torch.no_grad():
                yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        """Where parameters are sharded, in place: they are put together from the memory they had from the beginning."""
        for kept, value in zip(self._old, self.parameters, strict=True):
            if is_sharded(value):
                now = value.detach().clone()
                value.copy_(kept)
                kept.copy_(now)
            else:  # a gradient that was begun before stays that of the new policy
                value.data, kept.data = kept.data, value.data


def rewards_of(
    model: Model,
    latents: Tensor,
    condition: Condition,
    *,
    truth: Source[Truth],
    numbers: Tensor,
    intrinsics: Tensor,
    generator: torch.Generator,
    noise_level: float,
) -> dict[str, Tensor]:
    """Each term (B,T-1) of the reward of generated latents, as the reader sees them, against clips of these numbers.

    intrinsics: (N,3,3), of all clips that `truth` knows.
    So many at once as go through a network together, all with the same draw: what is read has every pixel of a video.
    """
    parts = []
    intrinsics, drawn = on_device(intrinsics[numbers]), generator.get_state()
    for part in in_parts(latents):
        read = read_4d(model, latents[part], condition[part], frames=truth.frames, noise_level=noise_level)
        generator.set_state(drawn)
        rays = rays_of(intrinsics[part], *read.depth.shape[-2:])
        parts.append(reward_terms(read, Scene(truth=truth[numbers[part]], rays=rays), generator))
    return {name: torch.cat([terms[name] for terms in parts]) for name in parts[0]}
