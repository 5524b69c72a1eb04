"""RAFT (arXiv 2003.12039) as torchvision publishes it, forward and backward, where torchvision is installed.

Legend: T frames, H height, W width.
"""

import importlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from components.compute import device
from components.depth_network import to_input
from components.errors import ParametersError, Phys4dError
from components.pseudo_labels.consistency import Flow, consistency_confidence, enlargement
from components.pseudo_labels.protocols import Frames

LEAST_SIDE = 128  # pixels: the network halves its picture three times and correlates what is left at four scales
MULTIPLE = 8  # pixels


@dataclass(frozen=True, kw_only=True, eq=False)
class RaftFlow:
    """consistency: pixels of forward-backward error at which confidence is 1/e."""

    network: nn.Module
    consistency: float

    @torch.inference_mode()
    def predict(self, frames: Frames) -> tuple[Flow, NDArray[np.float32]]:
        """Flow (T-1,H,W,2) and confidence (T-1,H,W) of frames (T,H,W,3)."""
        height, width = frames.shape[1:3]
        scale = enlargement(height, width, least=LEAST_SIDE)
        pictures = to_input(torch.from_numpy(np.ascontiguousarray(frames)))
        if scale > 1:
            pictures = F.interpolate(pictures, scale_factor=scale, mode="bilinear", align_corners=False)
        below, right = -pictures.shape[-2] % MULTIPLE, -pictures.shape[-1] % MULTIPLE
        pictures = F.pad(pictures, (0, right, 0, below), mode="replicate").to(device())
        forward = self._flow(pictures[:-1], pictures[1:], (height, width), scale)
        backward = self._flow(pictures[1:], pictures[:-1], (height, width), scale)
        return forward, consistency_confidence(forward, backward, self.consistency)

    def _flow(self, first: Tensor, second: Tensor, size: tuple[int, int], scale: int) -> Flow:
        """One pair at a time: a pair at full size takes gigabytes."""
        flows = [self.network(one[None], other[None])[-1] for one, other in zip(first, second, strict=True)]
        whole = torch.cat(flows)[..., : size[0] * scale, : size[1] * scale].float()
        small: Flow = (F.avg_pool2d(whole, scale) / scale).movedim(1, -1).cpu().numpy()
        return np.ascontiguousarray(small)


def load_raft(*, consistency: float) -> RaftFlow:
    """The large network with its published weights; ParametersError where torchvision is not installed."""
    try:
        published = importlib.import_module(
            "torchvision.models.optical_flow"
        )  # no dependency: it has no CPU build here
    except ImportError as error:
        raise ParametersError(
            "pseudo_labels.flow: raft needs torchvision, which is not installed: pip install torchvision, of the "
            "release that goes with the installed torch, or write dis"
        ) from error
    try:
        network = published.raft_large(weights=published.Raft_Large_Weights.DEFAULT, progress=False)
    except OSError as error:
        raise Phys4dError(
            f"pseudo_labels.flow: RAFT's weights cannot be downloaded ({error}): connect, or write dis"
        ) from error
    return RaftFlow(network=network.eval().to(device()), consistency=consistency)
