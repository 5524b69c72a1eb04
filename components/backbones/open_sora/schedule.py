"""Open-Sora's videos in chunks of 17 frames, and its times, shifted by how much a video holds.

The larger and longer a video, the more noise it takes to hide it: times move towards noise (Esser et al. 2024).
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from components.backbones.family import VideoShape
from components.errors import ParametersError

CHUNK = 17  # frames that the autoencoder takes at once
LATENTS = 5  # latent frames of a chunk: the first frame alone, then four by four
COVERED = 4
STRIDE = 8  # pixels of a latent pixel
IMAGE_FPS = 120.0  # what the network is told of a single frame
REFERENCE = 512  # pixels: a square image of this side has times that are not shifted


@dataclass(frozen=True, kw_only=True)
class Video:
    """What is generated: pixels, frames and frames a second. ParametersError where the model has no such video.

    reference: side in pixels of the square image whose times are not shifted.
    """

    height: int
    width: int
    frames: int
    fps: float
    reference: float = REFERENCE

    def __post_init__(self) -> None:
        check_frames(self.frames)
        for name, value in (("height", self.height), ("width", self.width)):
            if value < 2 * STRIDE:
                raise ParametersError(f"video.{name}: {value} is wrong, expected at least {2 * STRIDE} pixels")
        if not self.fps > 0:
            raise ParametersError(f"video.fps: {self.fps} is wrong, expected a number above 0")

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """F, h, w: sides that are no multiple of 8 lose what is over."""
        return latent_frames(self.frames), self.height // STRIDE, self.width // STRIDE

    @property
    def told_fps(self) -> float:
        """The frame rate that the network is told."""
        return IMAGE_FPS if self.frames == 1 else self.fps

    @property
    def time_shift(self) -> float:
        """The shift's factor, 1 for one frame of the reference's size."""
        return math.sqrt(self.height * self.width) / self.reference * math.sqrt(latent_frames(self.frames))

    def schedule(self, steps: int) -> Tensor:
        """Times (steps + 1,) of the sampler, from 1 down to 0."""
        return shifted(torch.linspace(1, 0, steps + 1), self.time_shift)

    def draw_times(self, count: int, generator: torch.Generator) -> Tensor:
        """Times (count,) as in training: a logistic normal variable, shifted."""
        return shifted(torch.randn(count, generator=generator).sigmoid(), self.time_shift)


def shifted_by(factor: float, video: VideoShape) -> Video:
    """The video whose times are shifted by `factor`: for a twin far below the released sizes."""
    plain = Video(height=video.height, width=video.width, frames=video.frames, fps=video.fps)
    return replace(plain, reference=plain.reference * plain.time_shift / factor)


def shifted(times: Tensor, factor: float) -> Tensor:
    """factor t / (1 + (factor - 1) t), written so that 0 and 1 stay what they are."""
    return times / (times + (1 - times) / factor)


def check_frames(frames: int) -> None:
    """ParametersError for frames that are no chunks: the shift of 2 to 16 frames would make all times 0."""
    if frames != 1 and (frames < 1 or frames % CHUNK):
        nearest = max(1, round(frames / CHUNK)) * CHUNK
        raise ParametersError(
            f"video.frames: {frames} does not fit backbone open_sora, expected 1 or {CHUNK} k: write {nearest}"
        )


def latent_frames(frames: int) -> int:
    """F of a video of so many frames."""
    check_frames(frames)
    return 1 if frames == 1 else frames // CHUNK * LATENTS


def frames_of_latents(latents: int) -> int:
    """The frames that so many latent frames are decoded to; ParametersError where they are no chunks."""
    if latents != 1 and (latents < 1 or latents % LATENTS):
        raise ParametersError(f"{latents} latent frames do not fit backbone open_sora, expected 1 or {LATENTS} k")
    return 1 if latents == 1 else latents // LATENTS * CHUNK


def frames_of_latent(frames: int) -> tuple[range, ...]:
    """The frames that each latent covers: of every chunk the first alone, then four by four."""
    check_frames(frames)
    spans = []
    for chunk in range(0, frames, CHUNK):
        spans.append(range(chunk, chunk + 1))
        spans += [range(start, start + COVERED) for start in range(chunk + 1, min(chunk + CHUNK, frames), COVERED)]
    return tuple(spans)
