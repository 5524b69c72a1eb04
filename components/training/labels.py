"""Pseudo-labels as the tensors that stage 1 learns from."""

from collections.abc import Iterable

import numpy as np
import torch

from components.errors import ClipError
from components.pseudo_labels.storage import LabelledVideo
from components.training.stage1 import DepthKind, PseudoLabels


def collect_labels(videos: Iterable[LabelledVideo]) -> PseudoLabels:
    """Labels of all videos in their order, in half precision; ClipError when their depths are of different kinds."""
    depth, flow, confidence = [], [], []
    kinds: dict[DepthKind, str] = {}
    for video in videos:
        depth.append(video.depth.astype(np.float16))
        flow.append(np.moveaxis(video.flow, -1, 1).astype(np.float16))
        confidence.append(video.confidence.astype(np.float16))
        kinds.setdefault(video.depth_kind, video.clip_id)
    if len(kinds) != 1:
        found = ", ".join(f"{kind} ({clip})" for kind, clip in kinds.items()) or "none"
        raise ClipError(f"data/pseudo_labels: depth_kind is {found}, expected one kind: run phys4d stage pseudo_label")
    return PseudoLabels(
        depth=torch.from_numpy(np.stack(depth)),
        depth_kind=next(iter(kinds)),
        flow=torch.from_numpy(np.stack(flow)),
        confidence=torch.from_numpy(np.stack(confidence)),
    )
