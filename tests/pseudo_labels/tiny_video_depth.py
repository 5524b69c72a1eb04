"""Video-Depth-Anything of a few channels, with weights that a rule makes: another program can make the same."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from components.pseudo_labels.video_depth.network import Sizes, VideoDepthNetwork, network_of

TINY = {
    "base": Sizes(width=128, depth=12, grid=5, patch=14, channels=(16, 24, 32, 64), features=32, frames=32),
    "large": Sizes(width=64, depth=24, grid=6, patch=14, channels=(8, 16, 32, 32), features=32, frames=32),
    "trained": Sizes(width=64, depth=12, grid=37, patch=14, channels=(16, 16, 32, 32), features=64, frames=32),
}
PUBLISHED = {
    "small": Sizes(width=384, depth=12, grid=37, patch=14, channels=(48, 96, 192, 384), features=64, frames=32),
    "base": Sizes(width=768, depth=12, grid=37, patch=14, channels=(96, 192, 384, 768), features=128, frames=32),
    "large": Sizes(width=1024, depth=24, grid=37, patch=14, channels=(256, 512, 1024, 1024), features=256, frames=32),
}


def on_paper(sizes: Sizes) -> VideoDepthNetwork:
    """Shapes alone."""
    with torch.device("meta"):
        return VideoDepthNetwork(sizes)


def weights(sizes: Sizes) -> dict[str, Tensor]:
    """Normal numbers in the order of the names, scaled so that every layer counts, the temporal ones too."""
    generator = np.random.default_rng(0)
    made = {}
    for name, tensor in sorted(on_paper(sizes).state_dict().items()):
        values = generator.standard_normal(tuple(tensor.shape), dtype=np.float32)
        if name.endswith((".pe", "pos_embed", "_token")):
            values *= 0.5
        elif values.ndim > 1:
            values *= np.float32(np.prod(values.shape[1:]) ** -0.5)
        elif name.endswith(".bias"):
            values *= 0.1
        else:
            values = 1 + 0.1 * values
        made[name] = torch.from_numpy(values)
    made["head.scratch.output_conv2.2.bias"] += 2  # else its ReLU may leave nothing
    return made


def tiny_network(name: str) -> VideoDepthNetwork:
    """In float32."""
    return network_of(weights(TINY[name]), source=name)


def save_tiny(folder: Path, tensors: Mapping[str, Tensor] | None = None) -> Path:
    """A folder as a user would convert it."""
    save_file(dict(weights(TINY["base"]) if tensors is None else tensors), folder / "model.safetensors")
    return folder


def noise(frames: int, height: int, width: int) -> Tensor:
    """Normal pictures (T,3,H,W), one seed for each length."""
    values = np.random.default_rng(frames).standard_normal((frames, 3, height, width), dtype=np.float32)
    return torch.from_numpy(values)
