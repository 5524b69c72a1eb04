"""The whole network of Video-Depth-Anything, of the sizes that published weights have.

Legend: T frames, H height, W width.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

import torch
from torch import Tensor, nn

from components.errors import ParametersError
from components.pseudo_labels.video_depth.dinov2 import TAPS, Dinov2
from components.pseudo_labels.video_depth.head import TemporalDpt

PLACES, PATCHES = "pretrained.pos_embed", "pretrained.patch_embed.proj.weight"
LEVELS, FEATURES = "head.projects.{}.weight", "head.scratch.layer1_rn.weight"
TIMES = "head.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0.pos_encoder.pe"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """width, depth: channels and blocks of the encoder; grid: patches along a side of the pictures it was trained on;
    patch: pixels; channels: of the head's four levels; features: of what they are fused to; frames: of a clip at most.
    """

    width: int
    depth: int
    grid: int
    patch: int
    channels: tuple[int, ...]
    features: int
    frames: int


class VideoDepthNetwork(nn.Module):
    """Pictures (T,3,H,W) of one clip, in ImageNet's deviations, to depth or disparity (T,H,W), not below 0."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.pretrained = Dinov2(width=sizes.width, depth=sizes.depth, grid=sizes.grid, patch=sizes.patch)
        self.head = TemporalDpt(
            width=sizes.width, channels=sizes.channels, features=sizes.features, frames=sizes.frames
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """H and W are multiples of the patch, T at most the sizes' frames."""
        depth: Tensor = self.head(self.pretrained(pictures), pictures.shape[-2:])
        return depth


def network_of(tensors: Mapping[str, Tensor], *, source: str) -> VideoDepthNetwork:
    """The network with these weights, in float32, frozen; ParametersError naming the first that does not fit."""
    with torch.device("meta"):
        network = VideoDepthNetwork(_sizes_of(tensors, source=source))
    expected = network.state_dict()
    for names, state in ((expected.keys() - tensors.keys(), "missing"), (tensors.keys() - expected.keys(), "unknown")):
        if names:
            raise ParametersError(
                f"{source}: {len(names)} weights of Video-Depth-Anything are {state}, the first is {min(names)}: "
                "download or convert it again"
            )
    for name, tensor in sorted(tensors.items()):
        if tensor.shape != expected[name].shape:
            raise ParametersError(
                f"{source}: {name} is {tuple(tensor.shape)}, expected {tuple(expected[name].shape)} beside the others: "
                "download or convert it again"
            )
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)
    return network.eval().requires_grad_(False)


def _sizes_of(tensors: Mapping[str, Tensor], *, source: str) -> Sizes:
    """What shapes and names say."""
    levels = [LEVELS.format(level) for level in range(4)]
    for name in (PLACES, PATCHES, *levels, FEATURES, TIMES):
        if name not in tensors:
            raise ParametersError(
                f"{source}: no Video-Depth-Anything, which has {name}: write the folder of its converted weights"
            )
    depth = len({name.split(".")[2] for name in tensors if name.startswith("pretrained.blocks.")})
    if depth not in TAPS:
        raise ParametersError(
            f"{source}: {depth} blocks in the encoder, expected one of {', '.join(map(str, TAPS))}: write the folder "
            "of Video-Depth-Anything Small, Base or Large"
        )
    return Sizes(
        width=tensors[PLACES].shape[2],
        depth=depth,
        grid=isqrt(tensors[PLACES].shape[1] - 1),
        patch=tensors[PATCHES].shape[-1],
        channels=tuple(tensors[name].shape[0] for name in levels),
        features=tensors[FEATURES].shape[0],
        frames=tensors[TIMES].shape[1],
    )
