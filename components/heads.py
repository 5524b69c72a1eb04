"""Depth and motion heads: six channels at full resolution and every frame, read from a transformer's hidden states.

Legend: B samples, F latent frames, gh, gw token grid, D transformer width, C latent channels, h, w latent grid, T, H, W
video. The same module on every backbone; only widths, patch and strides differ. Fusion from deep to shallow follows the
dense prediction transformer (Ranftl et al. 2021); the noisy latents themselves are the shallowest level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from components.backbones.base import Condition
from components.errors import ParametersError

FUSED, LINEAR = "fused", "linear"
LOG_DEPTH_CENTRE = 1.5  # of metres: where untrained heads begin


class Channel(IntEnum):
    """What each of the six channels is."""

    LOG_DEPTH = 0  # of metres
    FOREGROUND = 1  # logit of a dynamic object
    FLOW_X = 2  # pixels
    FLOW_Y = 3
    DEPTH_CHANGE = 4  # metres
    VISIBILITY = 5  # logit


@dataclass(frozen=True, kw_only=True)
class HeadsShape:
    """All that decides the shape of the weights.

    tap_width: D; stride: pixels of a latent pixel; slots: frames of a latent frame that covers the most. kind: fused,
    or linear, a plain reading of the last tap, which has no `width`.
    """

    taps: int
    tap_width: int
    channels: int
    patch: int
    stride: int
    width: int
    slots: int = 4
    kind: str = FUSED


@dataclass(frozen=True, kw_only=True)
class Read4D:
    """What the heads say. Frames of depth and foreground: T; of motion, from a frame to the next: T-1."""

    log_depth: Tensor  # B,T,H,W
    foreground: Tensor  # B,T,H,W logits
    flow: Tensor  # B,T-1,2,H,W pixels
    depth_change: Tensor  # B,T-1,H,W metres
    visibility: Tensor  # B,T-1,H,W logits

    @property
    def depth(self) -> Tensor:
        """Metres (B,T,H,W)."""
        return self.log_depth.exp()


class Heads(nn.Module):
    """Taps and latents to `Read4D`."""

    def __init__(self, shape: HeadsShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.norms = nn.ModuleList(nn.LayerNorm(shape.tap_width) for _ in range(shape.taps))
        self.projections = nn.ModuleList(nn.Linear(shape.tap_width, width) for _ in range(shape.taps))
        self.fusions = nn.ModuleList(Residual(width) for _ in range(shape.taps))
        self.upsample = nn.Linear(width, width * shape.patch**2)
        self.latents = Convolution(2 * shape.channels, width, 3, padding=1)
        self.refinements = nn.ModuleList(Residual(width) for _ in range(2))
        self.output = nn.Linear(width, len(Channel) * shape.slots * shape.stride**2)
        with torch.no_grad():
            self.output.weight.mul_(0.1)

    def forward(self, taps: Sequence[Tensor], noisy: Tensor, condition: Condition, spans: Sequence[range]) -> Read4D:
        """Read taps (B,F,gh,gw,D), shallow to deep, and the latents (B,C,F,h,w) they were made from.

        spans: the frames that each latent frame covers, which are as many as its last slots.
        """
        levels = [
            projection(norm(tap.float()))
            for projection, norm, tap in zip(self.projections, self.norms, taps, strict=True)
        ]
        fused = torch.zeros_like(levels[-1])
        for level, fusion in zip(reversed(levels), self.fusions, strict=True):
            fused = fusion(fused + level)
        first = condition.first.expand_as(noisy)
        given = torch.cat([condition.first, noisy[:, :, 1:]], 2)
        x = _unfold(self.upsample(fused), self.shape.patch) + self.latents(torch.cat([given, first], 1)).movedim(1, -1)
        for refinement in self.refinements:
            x = refinement(x)
        return self._split(self.output(F.gelu(x)), spans)

    def _split(self, values: Tensor, spans: Sequence[range]) -> Read4D:
        """Values (B,F,h,w,6 slots stride^2) to channels; a latent's first slots, those without a frame, are dropped."""
        B, frames, h, w, _ = values.shape
        stride, slots = self.shape.stride, self.shape.slots
        grid = values.float().view(B, frames, h, w, len(Channel), slots, stride, stride)
        video = grid.permute(4, 0, 1, 5, 2, 6, 3, 7).reshape(len(Channel), B, frames * slots, h * stride, w * stride)
        channels = video.unbind()  # the gradient of separate slices would fill the whole video with zeros for each
        kept = _slots_with_frames(spans, slots)
        log_depth, foreground = (_at(channels[number], kept) for number in (Channel.LOG_DEPTH, Channel.FOREGROUND))
        motion = [_at(channel, kept[1:]) for channel in channels[Channel.FLOW_X :]]  # slot t: from frame t-1 to t
        return Read4D(
            log_depth=log_depth + LOG_DEPTH_CENTRE,
            foreground=foreground,
            flow=torch.stack(motion[:2], 2),
            depth_change=motion[2],
            visibility=motion[3],
        )


class LinearHeads(Heads):
    """The least that can be read: one linear layer on the last tap's tokens. What `Heads` is measured against."""

    def __init__(self, shape: HeadsShape) -> None:
        nn.Module.__init__(self)
        self.shape = shape
        self.norm = nn.LayerNorm(shape.tap_width)
        self.output = nn.Linear(shape.tap_width, len(Channel) * shape.slots * (shape.patch * shape.stride) ** 2)
        with torch.no_grad():
            self.output.weight.mul_(0.1)

    def forward(self, taps: Sequence[Tensor], noisy: Tensor, condition: Condition, spans: Sequence[range]) -> Read4D:
        """As `Heads`; of the latents nothing is read."""
        values = self.output(self.norm(taps[-1].float()))
        return self._split(_unfold(values, self.shape.patch), spans)


def make_heads(shape: HeadsShape) -> Heads:
    """Heads of this shape's kind, their weights drawn from torch's global source."""
    return LinearHeads(shape) if shape.kind == LINEAR else Heads(shape)


class Convolution(nn.Conv3d):
    """Over time and space of x (B,C,F,h,w); two frames on a CPU in float32.

    There, in bfloat16, oneDNN's `jit_bf16:avx512_core_bf16` (of torch 2.13) leaves parts of the weights' gradient
    unwritten: what memory held before.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The same shape but for its channels."""
        if x.device.type != "cpu" or x.shape[2] != 2:
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float())


class Residual(nn.Module):
    """x + a convolution over time and space of x, channels last: (B,F,h,w,width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.convolution = Convolution(width, width, 3, padding=1)
        self.mix = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        inner = self.convolution(self.norm(x).movedim(-1, 1)).movedim(1, -1)
        y: Tensor = x + self.mix(F.gelu(inner))
        return y


def tap_numbers(blocks: int, taps: int) -> tuple[int, ...]:
    """Which of `blocks` blocks are read: evenly spaced, the last among them; ParametersError when they are too few."""
    if taps > blocks:
        raise ParametersError(f"heads.taps: {taps} is wrong, expected at most {blocks}, the transformer's blocks")
    return tuple(round((number + 1) * blocks / taps) - 1 for number in range(taps))


def _slots_with_frames(spans: Sequence[range], slots: int) -> list[int]:
    """The slots of a video's frames, in their order: of every latent its last ones."""
    return [number * slots + slot for number, span in enumerate(spans) for slot in range(slots - len(span), slots)]


def _at(channel: Tensor, slots: Sequence[int]) -> Tensor:
    """Some slots of (B,slots of the video,H,W); as a view where they are the last ones."""
    start = channel.shape[1] - len(slots)
    if list(slots) == list(range(start, channel.shape[1])):
        return channel[:, start:]
    return channel.index_select(1, torch.tensor(slots, device=channel.device))


def _unfold(tokens: Tensor, patch: int) -> Tensor:
    """(B,F,gh,gw,width patch^2) to (B,F,gh patch,gw patch,width)."""
    B, frames, gh, gw, _ = tokens.shape
    parts = tokens.view(B, frames, gh, gw, patch, patch, -1).permute(0, 1, 2, 4, 3, 5, 6)
    return parts.reshape(B, frames, gh * patch, gw * patch, -1)
