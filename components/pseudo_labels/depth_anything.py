"""Depth Anything (V1, V2; arXiv 2401.10891, 2406.09414), by hub id and revision or from a folder, frame by frame.

Preprocessing is ours, because the libraries' own needs torchvision. Legend: T frames, H height, W width.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from components.backbones.hub import describe, fetch
from components.backbones.pretrained import load_pretrained
from components.compute import device
from components.errors import ParametersError
from components.pseudo_labels.protocols import DepthKind, Frames

if TYPE_CHECKING:
    from transformers import DepthAnythingForDepthEstimation

MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # of ImageNet's RGB in [0,1], as it was trained
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
BATCH = 8  # frames at once
KINDS: dict[str, DepthKind] = {"relative": "affine_disparity", "metric": "metric"}


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
            pictures = torch.stack([_prepare(frame, size) for frame in frames[start : start + BATCH]])
            depth = self.model(pixel_values=pictures.to(device())).predicted_depth.float()
            parts.append(F.interpolate(depth[:, None], frames.shape[1:3], mode="bilinear", align_corners=False)[:, 0])
        result: NDArray[np.float32] = torch.cat(parts).cpu().numpy()
        return result


def load_depth_anything(source: str, *, revision: str | None) -> DepthAnything:
    """The network of a hub id or a folder, as transformers saves it; ParametersError when it is another's."""
    from transformers import DepthAnythingForDepthEstimation

    described, _ = describe(source, revision, wanted=_is_wanted)
    folder = fetch(described, wanted=_is_wanted)
    found = _model_type(folder)
    if found != "depth_anything":
        raise ParametersError(
            f"pseudo_labels.depth_source: {source} is {found or 'no model'}, expected depth_anything in the format of "
            "transformers: write depth-anything/Depth-Anything-V2-Small-hf"
        )
    return DepthAnything(model=load_pretrained(DepthAnythingForDepthEstimation, folder).to(device()))


def network_size(height: int, width: int, *, side: int, patch: int) -> tuple[int, int]:
    """Height and width the network sees: the shorter side `side`, the aspect kept, both whole numbers of patches."""
    scale = side / min(height, width)
    return max(1, round(height * scale / patch)) * patch, max(1, round(width * scale / patch)) * patch


def _prepare(frame: NDArray[np.uint8], size: tuple[int, int]) -> torch.Tensor:
    height, width = size
    picture = np.asarray(cv2.resize(frame.astype(np.float32) / 255, (width, height), interpolation=cv2.INTER_CUBIC))
    return torch.from_numpy((picture - MEAN) / DEVIATION).movedim(-1, 0)


def _is_wanted(path: str) -> bool:
    return path == "config.json" or path.endswith((".safetensors", ".safetensors.index.json"))


def _model_type(folder: Path) -> str:
    try:
        return str(json.loads((folder / "config.json").read_text()).get("model_type", ""))
    except (OSError, ValueError, AttributeError):
        return ""
