"""Depth Anything (V1, V2; arXiv 2401.10891, 2406.09414), by hub id and revision or from a folder, frame by frame.

Legend: T frames, H height, W width.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from components.backbones.hub import describe, fetch
from components.backbones.pretrained import load_pretrained
from components.compute import device
from components.errors import ParametersError
from components.pseudo_labels.protocols import DepthKind, Frames
from components.pseudo_labels.published_depth import CONFIGURATION, KINDS, network_size, prepare, read_configuration

if TYPE_CHECKING:
    from transformers import DepthAnythingForDepthEstimation

BATCH = 8  # frames at once


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthAnything:
    """A published network. Relative ones give disparity up to scale and shift, metric ones metres."""

    model: "DepthAnythingForDepthEstimation"

    @property
    def depth_kind(self) -> DepthKind:
        """What its configuration says."""
        return KINDS[self.model.config.depth_estimation_type]

    @torch.inference_mode()
    def predict(self, frames: Frames) -> NDArray[np.float32]:
        """(T,H,W) of frames (T,H,W,3)."""
        patch, side = self.model.config.patch_size, self.model.config.backbone_config.image_size
        size = network_size(*frames.shape[1:3], side=side, patch=patch)
        parts = []
        for start in range(0, len(frames), BATCH):
            pictures = torch.stack([prepare(frame, size) for frame in frames[start : start + BATCH]])
            depth = self.model(pixel_values=pictures.to(device())).predicted_depth.float()
            parts.append(F.interpolate(depth[:, None], frames.shape[1:3], mode="bilinear", align_corners=False)[:, 0])
        result: NDArray[np.float32] = torch.cat(parts).cpu().numpy()
        return result


def load_depth_anything(source: str, *, revision: str | None) -> DepthAnything:
    """The network of a hub id or a folder, as transformers saves it; ParametersError when it is another's."""
    from transformers import DepthAnythingForDepthEstimation

    described, _ = describe(source, revision, wanted=_is_wanted)
    folder = fetch(described, wanted=_is_wanted)
    found = read_configuration(folder).get("model_type")
    if found != "depth_anything":
        raise ParametersError(
            f"pseudo_labels.depth_source: {source} is {found or 'no model'}, expected depth_anything in the format of "
            "transformers: write depth-anything/Depth-Anything-V2-Small-hf"
        )
    return DepthAnything(model=load_pretrained(DepthAnythingForDepthEstimation, folder).to(device()))


def _is_wanted(path: str) -> bool:
    return path == CONFIGURATION or path.endswith((".safetensors", ".safetensors.index.json"))
