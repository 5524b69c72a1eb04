"""The depth head (DPT, arXiv 2103.13413) with attention along time in four places, under its published names.

Legend: T frames, H and W the picture's height and width, h and w the same in patches, C channels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from components.pseudo_labels.video_depth.motion import MotionModule

FRAMES_AT_ONCE = 4  # at full resolution, where a frame takes most
LAST = 32  # channels before the depth


class TemporalDpt(nn.Module):
    """Features (T,width,h,w) of four depths to the depth (T,H,W) of a clip, not below 0.

    channels: those of the four levels, from the finest to the coarsest; features: those of what they are fused to.
    """

    def __init__(self, *, width: int, channels: Sequence[int], features: int, frames: int) -> None:
        super().__init__()
        first, second, third, fourth = channels
        self.projects = nn.ModuleList(nn.Conv2d(width, count, 1) for count in channels)
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(first, first, 4, 4),
                nn.ConvTranspose2d(second, second, 2, 2),
                nn.Identity(),
                nn.Conv2d(fourth, fourth, 3, 2, 1),
            ]
        )
        self.motion_modules = nn.ModuleList(
            nn.ModuleDict({"temporal_transformer": MotionModule(count, frames=frames)})
            for count in (third, fourth, features, features)
        )
        parts: dict[str, nn.Module] = {}
        for level, count in enumerate(channels, 1):
            parts[f"layer{level}_rn"] = nn.Conv2d(count, features, 3, 1, 1, bias=False)
            parts[f"refinenet{level}"] = Fusion(features)
        parts["output_conv1"] = nn.Conv2d(features, features // 2, 3, 1, 1)
        parts["output_conv2"] = nn.Sequential(
            nn.Conv2d(features // 2, LAST, 3, 1, 1), nn.ReLU(), nn.Conv2d(LAST, 1, 1), nn.ReLU()
        )
        self.scratch = nn.ModuleDict(parts)

    def forward(self, features: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """`size`: H and W."""
        levels = [
            resize(project(level))
            for resize, project, level in zip(self.resize_layers, self.projects, features, strict=True)
        ]
        levels[2], levels[3] = self._along_time(0, levels[2]), self._along_time(1, levels[3])
        first, second, third, fourth = (self.scratch[f"layer{n}_rn"](level) for n, level in enumerate(levels, 1))
        fused = self._along_time(2, self.scratch["refinenet4"](fourth, size=third.shape[-2:]))
        fused = self._along_time(3, self.scratch["refinenet3"](fused, third, size=second.shape[-2:]))
        parts = zip(*(level.split(FRAMES_AT_ONCE) for level in (fused, second, first)), strict=True)
        return torch.cat([self._depth(*part, size=size) for part in parts])

    def _along_time(self, number: int, features: Tensor) -> Tensor:
        result: Tensor = self.motion_modules[number]["temporal_transformer"](features)  # type: ignore[index]
        return result

    def _depth(self, fused: Tensor, second: Tensor, first: Tensor, *, size: tuple[int, int]) -> Tensor:
        height, width = first.shape[-2:]
        fused = self.scratch["refinenet2"](fused, second, size=(height, width))
        fused = self.scratch["refinenet1"](fused, first, size=(2 * height, 2 * width))
        whole = _resized(self.scratch["output_conv1"](fused), size)
        depth: Tensor = self.scratch["output_conv2"](whole)[:, 0]
        return depth


class Fusion(nn.Module):
    """What was fused so far (T,C,...) and the next finer level, together at a larger size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.resConfUnit1 = Residual(channels)  # published for the coarsest level too, which has nothing to add
        self.resConfUnit2 = Residual(channels)
        self.out_conv = nn.Conv2d(channels, channels, 1)

    def forward(self, fused: Tensor, level: Tensor | None = None, *, size: tuple[int, int]) -> Tensor:
        """(T,C,*size)."""
        if level is not None:
            fused = fused + self.resConfUnit1(level)
        result: Tensor = self.out_conv(_resized(self.resConfUnit2(fused), size))
        return result


class Residual(nn.Module):
    """Two convolutions whose result is added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        """The same shape."""
        result: Tensor = features + self.conv2(F.relu(self.conv1(F.relu(features))))
        return result


def _resized(features: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(features, size, mode="bilinear", align_corners=True)
