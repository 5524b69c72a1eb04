"""Generation: a first frame and a caption become video, depth and motion. `read_4d` serves all who read the heads.

Legend: B samples, T frames, H, W.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from components.backbones.adapters import POLICY, adapter_off
from components.backbones.base import Condition, Frames
from components.compute import device, mixed_precision, on_device
from components.errors import ParametersError
from components.heads import Read4D
from components.model import Model
from components.training.diffusion import in_parts, sample

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Generated:
    """Videos and what the heads say of them; without heads all but latents and rgb is None."""

    latents: Tensor
    rgb: Frames
    depth: Array | None = None  # B,T,H,W metres
    foreground: Array | None = None  # B,T,H,W in 0..1
    flow: Array | None = None  # B,T-1,H,W,2 pixels
    depth_change: Array | None = None  # B,T-1,H,W metres
    visibility: Array | None = None  # B,T-1,H,W in 0..1


def condition_on(model: Model, images: Frames, captions: Sequence[str]) -> Condition:
    """The condition of first frames (B,H,W,3) and captions, where models compute."""
    return Condition(first=on_device(model.codec.encode(images[:, None])), text=on_device(model.text.encode(captions)))


def generate(
    model: Model,
    *,
    images: Frames,
    captions: Sequence[str],
    frames: int,
    seeds: Sequence[int],
    steps: int,
    noise_level: float,
) -> Generated:
    """Videos of `frames` frames from first frames (B,H,W,3); a sample's noise depends on its own seed alone."""
    model.backbone.check_frames(frames)
    if not len(images) == len(captions) == len(seeds):
        raise ParametersError(
            f"{len(images)} images, {len(captions)} captions, {len(seeds)} seeds: expected as many of each"
        )
    return generate_on(
        model, condition_on(model, images, captions), frames=frames, seeds=seeds, steps=steps, noise_level=noise_level
    )


def generate_on(
    model: Model, condition: Condition, *, frames: int, seeds: Sequence[int], steps: int, noise_level: float
) -> Generated:
    """`generate` on a condition that is known already."""
    _, channels, _, height, width = condition.first.shape
    count = len(model.backbone.frames_of_latent(frames))
    noise = on_device(torch.stack([_noise(seed, (channels, count, height, width)) for seed in seeds]))
    model.backbone.transformer.to(device())
    latents = sample(model.backbone, noise, condition, steps=steps)
    return _decoded(model, latents, condition, noise_level=noise_level)


def read_frames(model: Model, *, frames: Frames, captions: Sequence[str], noise_level: float) -> Generated:
    """What the heads say of given videos (B,T,H,W,3); rgb is the videos' round trip through the latents."""
    latents = on_device(model.codec.encode(frames))
    condition = Condition(first=latents[:, :, :1], text=on_device(model.text.encode(captions)))
    model.backbone.transformer.to(device())
    return _decoded(model, latents, condition, noise_level=noise_level)


@torch.no_grad()
def read_4d(
    model: Model, latents: Tensor, condition: Condition, *, frames: int, noise_level: float, seed: int = 0
) -> Read4D:
    """The heads' reading of clean latents (B,C,F,h,w) of T frames: one conditional forward pass at a small noise level.

    The noise is the same for every sample, so that a video's reading does not depend on its neighbours. The policy's
    adapter is off: the heads were trained without it, and a policy that reads its own reward moves its ruler.
    """
    heads, spans = model.with_heads, model.backbone.frames_of_latent(frames)
    parts = []
    for index in in_parts(latents):
        part, given = latents[index], condition[index]
        times = torch.full((len(part),), noise_level, device=part.device)
        generator = torch.Generator().manual_seed(seed)
        one = torch.randn(part[:1].shape, generator=generator).to(part.device)
        alpha, sigma = (value[:, None, None, None, None] for value in model.backbone.path(times))
        noisy = alpha * part + sigma * one
        with adapter_off(model.backbone, POLICY):
            taps = model.backbone.predict(noisy, times, given, taps=model.taps).taps
        with mixed_precision():
            parts.append(heads(taps, noisy, given, spans))
    return Read4D(**{name: torch.cat([getattr(part, name) for part in parts]) for name in Read4D.__dataclass_fields__})


def _noise(seed: int, shape: tuple[int, ...]) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _decoded(model: Model, latents: Tensor, condition: Condition, *, noise_level: float) -> Generated:
    rgb = model.codec.decode(latents.cpu())
    if model.heads is None:
        return Generated(latents=latents, rgb=rgb)
    model.heads.to(device())
    read = read_4d(model, latents, condition, frames=rgb.shape[1], noise_level=noise_level)
    return Generated(
        latents=latents,
        rgb=rgb,
        depth=read.depth.cpu().numpy(),
        foreground=read.foreground.sigmoid().cpu().numpy(),
        flow=read.flow.movedim(2, -1).cpu().numpy(),
        depth_change=read.depth_change.cpu().numpy(),
        visibility=read.visibility.sigmoid().cpu().numpy(),
    )
