"""Video-Depth-Anything (arXiv 2501.12375), by hub id and revision or from a folder: depth that holds still over time.

Its weights are published as pickles, which are not read: CONVERSION turns them into safetensors once. Small is under
Apache-2.0; Base and Large are under CC-BY-NC-4.0, for no commercial use. Legend: T frames, H height, W width.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from components.backbones.hub import describe, fetch
from components.compute import device
from components.errors import ParametersError
from components.pseudo_labels.protocols import DepthKind, Frames
from components.pseudo_labels.published_depth import CONFIGURATION, KINDS, network_size, prepare, read_configuration
from components.pseudo_labels.video_depth.network import VideoDepthNetwork, network_of
from components.pseudo_labels.video_depth.windows import Depths, stitch, windows

WIDEST = 1.78  # times the shorter side: of wider pictures the network sees fewer rows
WIDEST_SEEN = 1.777
KIND = "depth_estimation_type"  # the field of config.json; a folder without it holds the relative network
CONVERSION = (
    "import torch, safetensors.torch as s; w = torch.load('IN.pth', map_location='cpu', weights_only=True); "
    "s.save_file({k: v.contiguous() for k, v in w.items()}, 'DIR/model.safetensors')"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoDepthAnything:
    """A published network. Relative ones give disparity up to one scale and shift a video, metric ones metres."""

    network: VideoDepthNetwork
    depth_kind: DepthKind

    @torch.inference_mode()
    def predict(self, frames: Frames) -> NDArray[np.float32]:
        """(T,H,W) of frames (T,H,W,3), one window on the device at a time."""
        return stitch(self._windows(frames), len(frames), align=self.depth_kind != "metric")

    def _windows(self, frames: Frames) -> Iterator[Depths]:
        height, width = frames.shape[1:3]
        patch, grid = self.network.sizes.patch, self.network.sizes.grid
        side = network_side(height, width, side=grid * patch, patch=patch)
        size = network_size(height, width, side=side, patch=patch)
        for seen in windows(len(frames)):
            pictures = torch.stack([prepare(frames[number], size) for number in seen])
            depth = self.network(pictures.to(device()))[:, None]
            whole = F.interpolate(depth, (height, width), mode="bilinear", align_corners=True)
            yield whole[:, 0].cpu().numpy()


def load_video_depth_anything(source: str, *, revision: str | None) -> VideoDepthAnything:
    """The network of a hub id or a folder with one safetensors; ParametersError when it is another's or not whole."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    described, _ = describe(source, revision, wanted=_is_wanted)
    weights = sorted(path for path in described.files if path != CONFIGURATION)
    if len(weights) != 1:
        raise ParametersError(f"pseudo_labels.depth_source: {_not_one(source, weights)}")
    folder = fetch(described, wanted=_is_wanted)
    name = read_configuration(folder).get(KIND, "relative")
    if not isinstance(name, str) or name not in KINDS:
        raise ParametersError(
            f"pseudo_labels.depth_source: {folder / CONFIGURATION}: {KIND} is {name!r}, expected {' or '.join(KINDS)}"
        )
    path = f"pseudo_labels.depth_source: {folder / weights[0]}"
    try:
        tensors = load_file(folder / weights[0])
    except (OSError, SafetensorError) as error:
        raise ParametersError(f"{path}: not readable as safetensors ({error}): download or convert it again") from error
    return VideoDepthAnything(network=network_of(tensors, source=path).to(device()), depth_kind=KINDS[name])


def network_side(height: int, width: int, *, side: int, patch: int) -> int:
    """Pixels of the shorter side that the network sees: `side`, and fewer of a picture that is wider than WIDEST."""
    ratio = max(height, width) / min(height, width)
    return side if ratio <= WIDEST else max(1, round(int(side * WIDEST_SEEN / ratio) / patch)) * patch


def _is_wanted(path: str) -> bool:
    return path == CONFIGURATION or (path.endswith(".safetensors") and "/" not in path)


def _not_one(source: str, weights: list[str]) -> str:
    if weights:
        return f"{source} has {len(weights)} safetensors ({', '.join(weights)}), expected one: give a folder with one"
    return (
        f"{source} has no safetensors, and a pickle (.pth), as Video-Depth-Anything is published, is not read: convert "
        f'it once yourself, python -c "{CONVERSION}", and give DIR as the source'
    )
