"""Losses of the heads: on pseudo-labels, on simulator truth, and the warp that couples depth with motion.

Legend: B samples, T frames, H, W. Every loss is a mean over its pixels, weighted; weights broadcast against (B,T,H,W).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from components.compute import on_device
from components.heads import Read4D

LEAST_SPREAD = 1e-3  # of a clip's depths: a flat clip is not blown up
MOVING = 0.3  # pixels a frame
MOVING_WEIGHT = 5.0  # of moving pixels in stage 1 and of dynamic objects in stage 2: they are few
DEPTH_WEIGHT = 20.0  # of dynamic objects in depth: their depths differ little beside those of floor and sky
LARGEST_WARP = 0.3  # of the mean depth: where a surface ends, depth differs by more than any motion explains


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What the simulator says of clips: float16 or float32; masks bool."""

    log_depth: Tensor  # B,T,H,W of metres
    valid: Tensor  # B,T,H,W pixels that see something nearer than the far plane
    foreground: Tensor  # B,T,H,W dynamic objects
    flow: Tensor  # B,T-1,2,H,W pixels
    depth_change: Tensor  # B,T-1,H,W metres
    visible: Tensor  # B,T-1,H,W

    def __len__(self) -> int:
        return len(self.log_depth)

    @property
    def frames(self) -> int:
        """T of every clip."""
        return self.log_depth.shape[1]

    def __getitem__(self, index: Tensor) -> "Truth":
        """Some clips, as float32, where models compute."""
        return Truth(**{name: values[index] for name, values in vars(self).items()}).ready()

    def ready(self) -> "Truth":
        """All of them, as float32, where models compute."""
        moved = {name: on_device(values) for name, values in vars(self).items()}
        return Truth(**{name: value if value.dtype == torch.bool else value.float() for name, value in moved.items()})

    def expect(self, index: Tensor) -> None:
        """Nothing has to be read for them."""


def scale_shift_invariant(predicted: Tensor, label: Tensor) -> Tensor:
    """Mean L1 of two disparities (B,T,H,W), each brought to zero median and unit mean absolute deviation per clip.

    Source: Ranftl et al. 2020 (MiDaS), the trimmed loss without trimming.
    """
    return (_standardised(predicted) - _standardised(label)).abs().mean()


def confident_flow(predicted: Tensor, label: Tensor, confidence: Tensor) -> Tensor:
    """Smooth L1 on flow (B,T-1,2,H,W), weighted by the estimator's confidence (B,T-1,H,W); moving pixels count more."""
    moving = torch.linalg.vector_norm(label, dim=2) > MOVING
    weight = confidence * (1 + (MOVING_WEIGHT - 1) * moving)
    error = F.smooth_l1_loss(predicted, label, reduction="none").sum(2)
    weighted: Tensor = error * weight
    return weighted.mean()


def truth_losses(read: Read4D, truth: Truth, signal: Tensor) -> dict[str, Tensor]:
    """Losses of stage 2's heads. `signal` (B,): how much of the data the noise left, the weight of each sample."""
    signal = signal.view(-1, 1, 1, 1)
    weight = signal * (1 + (MOVING_WEIGHT - 1) * truth.foreground)
    moved = weight[:, :-1]
    near = signal * (1 + (DEPTH_WEIGHT - 1) * truth.foreground)
    motion = (read.flow - truth.flow).abs().sum(2) + (read.depth_change - truth.depth_change).abs()
    return {
        "depth": ((read.log_depth - truth.log_depth).abs() * near).mean(),
        "motion": (motion * moved).mean(),
        "foreground": _logistic(read.foreground, truth.foreground, weight)
        + _logistic(read.visibility, truth.visible, moved),
        "warp": warp_loss(read, truth, moved),
    }


def warp_loss(read: Read4D, truth: Truth, weight: Tensor) -> Tensor:
    """|D_{t+1}(p + flow) - (D_t(p) + depth_change(p))| over visible pixels, over the clip's mean depth.

    Depth and motion are both the heads', so both get its gradient; only `visible`, `valid` and the mean depth are the
    simulator's. Capped at LARGEST_WARP. The sky, at rest on the far plane, counts in neither: it would be most of it.
    """
    depth = read.depth
    arrived = warp_back(depth[:, 1:], read.flow)
    seen = (truth.log_depth.exp() * truth.valid).sum((1, 2, 3)) / truth.valid.sum((1, 2, 3)).clamp(min=1)
    scale = seen.clamp(min=LEAST_SPREAD).view(-1, 1, 1, 1)
    residual = (arrived - depth[:, :-1] - read.depth_change).abs() / scale
    counted = truth.visible & truth.valid[:, :-1]
    return (residual.clamp(max=LARGEST_WARP) * weight * counted).mean()


def warp_back(values: Tensor, flow: Tensor) -> Tensor:
    """Bilinear samples of the next frames' `values` (B,T-1,H,W) at p + flow (B,T-1,2,H,W); outside, the border's."""
    B, steps, H, W = values.shape
    rows, columns = torch.meshgrid(
        torch.arange(H, device=flow.device), torch.arange(W, device=flow.device), indexing="ij"
    )
    u, v = columns + flow[:, :, 0], rows + flow[:, :, 1]
    grid = torch.stack([2 * u / (W - 1) - 1, 2 * v / (H - 1) - 1], -1).view(B * steps, H, W, 2)
    sampled = F.grid_sample(values.reshape(B * steps, 1, H, W), grid, padding_mode="border", align_corners=True)
    return sampled.view(B, steps, H, W)


def _logistic(logits: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
    error: Tensor = F.binary_cross_entropy_with_logits(logits, labels.float(), reduction="none")
    return (error * weight).mean()


def _standardised(values: Tensor) -> Tensor:
    flat = values.flatten(1)
    centred = flat - flat.median(1, keepdim=True).values
    return centred / centred.abs().mean(1, keepdim=True).clamp(min=LEAST_SPREAD)
