"""Closed-form latents for the tiny twins: principal components behind the interface of a causal video autoencoder.

The first latent frame holds the principal components of the first frame's 8x8 patches; every later one those of four
frames' differences from the first. Nothing is trained: two eigenvalue problems.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from components.errors import ParametersError

if TYPE_CHECKING:
    from components.backbones.base import Frames

FILE = "laptop_latents.safetensors"
PATCH = 8  # pixels: the spatial stride
CHUNK = 4  # frames a latent frame covers, the first alone excepted
FIRST_POWER, CHANGE_POWER = 0.75, 0.5  # channels are divided by their deviation to this power: large ones stay larger
SMALLEST = 1e-4  # deviation: keeps a component that never varies from being divided by nothing


@dataclass(frozen=True, kw_only=True)
class LaptopLatents:
    """A fitted codec; bases are (patch values, C), scales and mean (C,)."""

    first_basis: Tensor
    first_mean: Tensor
    first_scale: Tensor
    change_basis: Tensor
    change_scale: Tensor

    @property
    def channels(self) -> int:
        """C."""
        return self.first_basis.shape[1]

    @property
    def spatial_stride(self) -> int:
        """Pixels a latent pixel covers along height and width."""
        return PATCH

    def encode(self, frames: "Frames") -> Tensor:
        """Latents (B,C,1 + (T-1)/4,H/8,W/8) of frames (B,T,H,W,3)."""
        video = _to_float(frames)
        _check(video)
        first = (_patches(video[:, :1], 1) @ self.first_basis - self.first_mean) / self.first_scale
        change = _patches(video[:, 1:] - video[:, :1], CHUNK) @ self.change_basis / self.change_scale
        return torch.cat([first, change], 1).movedim(-1, 1).contiguous()

    def decode(self, latents: Tensor) -> "Frames":
        """Frames (B,T,H,W,3) of latents (B,C,F,h,w)."""
        latents = latents.movedim(1, -1)
        first = _unpatch((latents[:, :1] * self.first_scale + self.first_mean) @ self.first_basis.T, 1)
        change = _unpatch(latents[:, 1:] * self.change_scale @ self.change_basis.T, CHUNK)
        video = torch.cat([first, first + change], 1)
        frames: Frames = ((video.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).numpy()
        return frames


def fit(frames: "Frames", *, channels: int) -> LaptopLatents:
    """The codec with the most variance of `frames` (B,T,H,W,3) in `channels` components."""
    video = _to_float(frames)
    _check(video)
    most = PATCH * PATCH * 3
    if channels > most:
        raise ParametersError(f"latents.channels: {channels} is wrong, expected at most {most}, a patch's values")
    first = _patches(video[:, :1], 1)
    change = _patches(video[:, 1:] - video[:, :1], CHUNK)
    first_basis, change_basis = _principal(first, channels), _principal(change, channels)
    first_latents, change_latents = first @ first_basis, change @ change_basis
    first_mean = first_latents.flatten(0, -2).mean(0)
    first_scale = _scale(first_latents - first_mean, FIRST_POWER)
    return LaptopLatents(
        first_basis=first_basis,
        first_mean=first_mean,
        first_scale=first_scale,
        change_basis=change_basis,
        change_scale=_scale(change_latents, CHANGE_POWER),
    )


def save(codec: LaptopLatents, path: Path) -> None:
    """Write the codec as safetensors."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: getattr(codec, name).contiguous() for name in TENSORS}, path)


def load(path: Path) -> LaptopLatents:
    """The codec written by `save`."""
    from safetensors.torch import load_file

    tensors = load_file(path)
    return LaptopLatents(**{name: tensors[name] for name in TENSORS})


def psnr(codec: LaptopLatents, frames: "Frames") -> float:
    """Peak signal-to-noise ratio in dB of the round trip of frames (B,T,H,W,3)."""
    error = codec.decode(codec.encode(frames)).astype(np.float64) - frames
    return float(10 * np.log10(255**2 / np.square(error).mean()))


TENSORS = ("first_basis", "first_mean", "first_scale", "change_basis", "change_scale")


def _principal(values: Tensor, count: int) -> Tensor:
    """The `count` leading eigenvectors (D,count) of the second moments of (...,D), signs fixed."""
    rows = values.reshape(-1, values.shape[-1]).double()
    _, vectors = torch.linalg.eigh(rows.T @ rows / len(rows))
    basis = vectors.flip(-1)[:, :count]
    largest = basis.gather(0, basis.abs().argmax(0, keepdim=True))
    signed: Tensor = basis * largest.sign()
    return signed.float()


def _scale(latents: Tensor, power: float) -> Tensor:
    """Deviation to a power, times what makes the whole of unit deviation."""
    deviation = latents.flatten(0, -2).square().mean(0).sqrt().clamp(min=SMALLEST)
    scale = deviation**power
    whole: Tensor = (latents / scale).square().mean().sqrt()
    return scale * whole


def _to_float(frames: "Frames") -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames)).float() / 127.5 - 1


def _check(video: Tensor) -> None:
    _, frames, height, width, _ = video.shape
    if frames % CHUNK != 1 or height % PATCH or width % PATCH:
        raise ParametersError(
            f"video of {frames} frames, {height}x{width}: expected {CHUNK} k + 1 frames and multiples of {PATCH} pixels"
        )


def _patches(video: Tensor, frames: int) -> Tensor:
    """(B,T,H,W,3) to (B,T/frames,H/8,W/8,values of a patch)."""
    B, T, H, W, _ = video.shape
    parts = video.view(B, T // frames, frames, H // PATCH, PATCH, W // PATCH, PATCH, 3)
    shape = (B, T // frames, H // PATCH, W // PATCH, frames * PATCH * PATCH * 3)
    return parts.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(shape)


def _unpatch(patches: Tensor, frames: int) -> Tensor:
    B, F, h, w, _ = patches.shape
    parts = patches.reshape(B, F, h, w, frames, PATCH, PATCH, 3)
    return parts.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(B, F * frames, h * PATCH, w * PATCH, 3)
