"""A small depth network: one frame to metres, or to disparity up to an unknown scale and shift.

Two are trained, on disjoint splits of simulated clips: the labeler, which stands in for a published estimator, and the
judge, by which generated videos are measured. Legend: B frames, H height, W width.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from components.canonical import canonical_json
from components.compute import mixed_precision
from components.errors import Phys4dError
from components.files import write_atomically

DepthKind = Literal["metric", "affine_disparity"]

CELL = 2  # pixels along a side that are folded into channels: five times as fast as convolving at full resolution
STRIDE = 16  # pixels: CELL and three halvings
GROUPS = 4  # of channels that are normalised together
BATCH = 68  # frames predicted at once: four clips of 17
DESCRIPTION, WEIGHTS = "network.json", "network.safetensors"


class UNet(nn.Module):
    """Frames (B,3,H,W) in [-1,1] to one value a pixel (B,H,W); sees where in the picture a pixel is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fine = _block((3 + 2) * CELL**2, width)
        self.down = nn.ModuleList(
            [_block(width, 2 * width, 2), _block(2 * width, 4 * width, 2), _block(4 * width, 4 * width, 2)]
        )
        self.coarse = _block(4 * width, 4 * width)
        self.up = nn.ModuleList([_block(8 * width, 2 * width), _block(4 * width, width), _block(2 * width, width)])
        self.head = nn.Conv2d(width, CELL**2, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Any size: what is missing to a multiple of STRIDE repeats the border and is cut off again."""
        height, width = frames.shape[-2:]
        frames = F.pad(frames, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
        cells = F.pixel_unshuffle(_with_places(frames), CELL)
        with mixed_precision():
            levels = [self.fine(cells)]
            for block in self.down:
                levels.append(block(levels[-1]))
            features = self.coarse(levels.pop())
            for block in self.up:
                features = block(torch.cat([F.interpolate(features, scale_factor=2), levels.pop()], 1))
        values = F.pixel_shuffle(self.head(features.float()), CELL)  # float32: bfloat16 would round metres to .8 %
        return values[:, 0, :height, :width]


def _block(channels: int, out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, out, 3, stride, 1), nn.GroupNorm(GROUPS, out), nn.GELU())


def _with_places(frames: Tensor) -> Tensor:
    """Frames (B,3,H,W) and, as two more channels, the row and the column of every pixel, from -1 to 1."""
    count, _, height, width = frames.shape
    rows = torch.linspace(-1, 1, height, device=frames.device).view(1, 1, -1, 1)
    columns = torch.linspace(-1, 1, width, device=frames.device).view(1, 1, 1, -1)
    return torch.cat([frames, *(place.expand(count, 1, height, width) for place in (rows, columns))], 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthNetwork:
    """A trained network. metric: `module` puts out log metres; affine_disparity: disparity itself."""

    depth_kind: DepthKind
    module: UNet

    @torch.inference_mode()
    def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Frames (...,H,W,3) to (...,H,W): z-depth in metres, or disparity up to scale and shift."""
        pictures = torch.from_numpy(np.array(frames, order="C")).view(-1, *frames.shape[-3:])
        place = self.module.head.weight.device
        values = torch.cat([self.module(to_input(batch.to(place))).cpu() for batch in pictures.split(BATCH)])
        if self.depth_kind == "metric":
            values = values.exp()
        result: NDArray[np.float32] = values.numpy().reshape(frames.shape[:-1])
        return result


def to_input(frames: Tensor) -> Tensor:
    """Frames (B,H,W,3) uint8 to (B,3,H,W) in [-1,1]."""
    return frames.movedim(-1, 1).float() / 127.5 - 1


def save(network: DepthNetwork, folder: Path) -> None:
    """Write a network into `folder`: its weights, then what it is."""
    from safetensors.torch import save

    weights = {name: tensor.contiguous() for name, tensor in network.module.state_dict().items()}
    write_atomically(folder / WEIGHTS, save(weights))
    description = {"depth_kind": network.depth_kind, "width": network.module.head.in_channels}
    write_atomically(folder / DESCRIPTION, canonical_json(description).encode())


def load(folder: Path) -> DepthNetwork:
    """The network that `save` wrote; Phys4dError when it is missing, damaged or of another shape."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        depth_kind, width = _described((folder / DESCRIPTION).read_text())
        with torch.random.fork_rng(devices=[]):  # weights that are drawn only to be replaced
            module = UNet(width)
        module.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise Phys4dError(
            f"{folder}: no depth network can be read ({' '.join(str(error).split())}), expected {DESCRIPTION} and "
            f"{WEIGHTS} of one training: run phys4d stage depth_net@{folder.name} --force"
        ) from error
    return DepthNetwork(depth_kind=depth_kind, module=module.eval())


def _described(text: str) -> tuple[DepthKind, int]:
    """What `save` wrote of a network: its kind and width; ValueError when it is anything else."""
    description = json.loads(text)
    if not isinstance(description, dict):
        raise ValueError(f"{DESCRIPTION} is a {type(description).__name__}, expected an object")
    depth_kind, width = description.get("depth_kind"), description.get("width")
    if depth_kind not in get_args(DepthKind):
        raise ValueError(f"depth_kind is {depth_kind!r}, expected {' or '.join(get_args(DepthKind))}")
    if type(width) is not int or width < GROUPS or width % GROUPS:
        raise ValueError(f"width is {width!r}, expected a multiple of {GROUPS}")
    return cast("DepthKind", depth_kind), width
