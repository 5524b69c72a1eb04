"""What the published depth estimators have in common: the pictures they see, and what their configuration says.

Preprocessing is ours, because the libraries' own needs torchvision. Legend: H height, W width.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from components.errors import ParametersError
from components.pseudo_labels.protocols import DepthKind

MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # of ImageNet's RGB in [0,1], as they were trained
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
KINDS: dict[str, DepthKind] = {"relative": "affine_disparity", "metric": "metric"}  # by depth_estimation_type
CONFIGURATION = "config.json"


def network_size(height: int, width: int, *, side: int, patch: int) -> tuple[int, int]:
    """Height and width the network sees: the shorter side `side`, the aspect kept, both whole numbers of patches."""
    scale = side / min(height, width)
    return max(1, round(height * scale / patch)) * patch, max(1, round(width * scale / patch)) * patch


def prepare(frame: NDArray[np.uint8], size: tuple[int, int]) -> torch.Tensor:
    """A frame (H,W,3) as the networks see it: (3,*size), colours less ImageNet's mean, in its deviations."""
    height, width = size
    picture = np.asarray(cv2.resize(frame.astype(np.float32) / 255, (width, height), interpolation=cv2.INTER_CUBIC))
    return torch.from_numpy((picture - MEAN) / DEVIATION).movedim(-1, 0)


def read_configuration(folder: Path) -> Mapping[str, object]:
    """The fields of a model's config.json, none where there is no such file; ParametersError when it is no object."""
    path = folder / CONFIGURATION
    if not path.is_file():
        return {}
    try:
        fields = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ParametersError(f"{path}: not readable as JSON ({error}): download or save it again") from error
    if not isinstance(fields, dict):
        raise ParametersError(f"{path}: expected an object of fields: download or save it again")
    return fields
