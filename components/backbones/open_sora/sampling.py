"""The released sampler of Open-Sora 1.2: Euler's steps with guidance, some frames kept or changed a little.

It is what the published results were made with; `components.training.diffusion.sample` is the same without guidance.
"""

from itertools import pairwise

import torch
from torch import Tensor

from components.backbones.open_sora.backbone import TIME_UNITS
from components.backbones.open_sora.schedule import Video
from components.backbones.open_sora.stdit3 import STDiT3
from components.compute import mixed_precision

STEPS, GUIDANCE = 30, 7.0  # as released


class Guided:
    """The network with classifier-free guidance: unconditional + scale (conditional - unconditional).

    text: (B,L,D); text_mask: (B,L). The text of no caption is cut to as many tokens as the caption has, as released.
    """

    def __init__(self, transformer: STDiT3, text: Tensor, text_mask: Tensor, *, video: Video, scale: float) -> None:
        self._transformer, self._video, self._scale = transformer, video, scale
        nothing = transformer.y_embedder.y_embedding[: text.shape[1]].expand_as(text)
        self._text = transformer.embed_text(torch.cat([text, nothing.to(text)]))
        self._mask = text_mask.repeat(2, 1)

    def __call__(self, noisy: Tensor, time: Tensor, noisy_frames: Tensor | None) -> Tensor:
        """The velocity clean - noise (B,4,F,h,w) at a time (), 1 noise."""
        count = 2 * len(noisy)
        with mixed_precision():
            output = self._transformer(
                noisy.repeat(2, 1, 1, 1, 1),
                (time * TIME_UNITS).expand(count),
                self._text,
                text_mask=self._mask,
                noisy_frames=None if noisy_frames is None else noisy_frames.repeat(2, 1),
                fps=noisy.new_full((count,), self._video.told_fps),
                height=self._video.height,
                width=self._video.width,
                text_is_embedded=True,
            ).sample
        conditional, unconditional = output[:, : noisy.shape[1]].chunk(2)
        guided: Tensor = unconditional + self._scale * (conditional - unconditional)
        return guided


@torch.no_grad()
def sample_guided(
    transformer: STDiT3,
    start: Tensor,
    text: Tensor,
    text_mask: Tensor,
    *,
    video: Video,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
    edits: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Latents (B,4,F,h,w) from `start`: noise, and clean latents in the frames that are kept.

    edits: (B,F), 1 for a frame that is generated and 0 for one that is kept. In between, a frame stays as it is until
    this time, is noised to it from `generator`, and is generated from there. The released sampler draws that noise at
    every step, needed or not, and so does this one.
    """
    velocity = Guided(transformer, text, text_mask, video=video, scale=guidance)
    latents = start
    noised = None if edits is None else edits == 1
    for now, after in pairwise(video.schedule(steps)):
        if edits is None or noised is None:
            latents = latents + velocity(latents, now, None) * (now - after)
            continue
        active = edits >= now
        fresh = (1 - now) * latents + now * torch.randn(latents.shape, generator=generator)
        entered = torch.where(_of_frames(active & ~noised), fresh, latents)
        stepped = entered + velocity(entered, now, active) * (now - after)
        latents, noised = torch.where(_of_frames(active), stepped, latents), active
    return latents


def _of_frames(values: Tensor) -> Tensor:
    """(B,F) so that it broadcasts against (B,C,F,h,w)."""
    return values[:, None, :, None, None]


def keep_first(first: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Where image-to-video starts: noise (B,C,F,h,w) behind the latents (B,C,1,h,w) of the image; and its edits."""
    edits = noise.new_ones(noise.shape[0], noise.shape[2])
    edits[:, 0] = 0
    return torch.cat([first, noise[:, :, 1:]], 2), edits
