"""The reward: 4D Chamfer distance between a generated video, as the frozen reader sees it, and the simulator.

It is time-locked, so every frame has a reward of its own, and what a frame earns is credited to the latent frame that
covers it: one sum for the whole video would praise a latent frame for what others earned.

Legend: B samples, T frames, F latent frames, H, W; K points a frame. The reader is the stage-2 model with the policy's
adapter off: a policy that reads its own reward moves its own ruler.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from components.heads import Read4D
from components.training.losses import Truth

if TYPE_CHECKING:
    from components.params import Stage3Reward

POINTS = 96  # of an object's surface a frame
CAP_SHARE = 0.25  # of the scene's diameter: what a missing point costs
FAR = 1e6  # metres: stands for a point that is not there


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What the reward is measured against. truth: B clips; rays (B,H,W,3), of one camera for all (H,W,3): `rays_of`."""

    truth: Truth
    rays: Tensor


def rays_of(intrinsics: Tensor, height: int, width: int) -> Tensor:
    """Camera coordinates (...,H,W,3) of every pixel at depth 1, for intrinsics (...,3,3).

    OpenCV axes, pixel centres at integers.
    """
    device = intrinsics.device
    rows, columns = torch.arange(height, device=device).float(), torch.arange(width, device=device).float()
    v, u = torch.meshgrid(rows, columns, indexing="ij")
    pixels = torch.stack([u, v, torch.ones_like(u)], -1)
    rays: Tensor = pixels @ torch.linalg.inv(intrinsics.float()).mT[..., None, :, :]
    return rays


def reward_terms(read: Read4D, scene: Scene, generator: torch.Generator) -> dict[str, Tensor]:
    """Each term (B,T-1) of the frames after the first, which is given; higher is better."""
    truth = scene.truth
    seen = read.foreground.sigmoid()
    here = truth.foreground
    order = torch.rand(seen[0, 0].numel(), generator=generator).to(seen.device)
    predicted = points(read.depth[:, 1:], seen[:, 1:] > 0.5, scene.rays, order)
    true = points(truth.log_depth.exp()[:, 1:], here[:, 1:], scene.rays, order)
    return {
        "chamfer": -chamfer(predicted, true, cap=CAP_SHARE * diameter(true)),
        "overlap": _overlap(seen[:, 1:], here[:, 1:]),
        "centroid": -_centroid_distance(seen[:, 1:], here[:, 1:]),
    }


def advantages(terms: Mapping[str, Tensor], weights: "Stage3Reward", *, group: int, spans: Sequence[range]) -> Tensor:
    """Terms as advantages (B,F): weighted, each centred in its group and over the batch's deviation; the sum again.

    spans: the frames that each latent frame covers. Within 5 deviations; 0 where a latent frame covers the first alone.
    """
    total = torch.zeros(len(next(iter(terms.values()))), len(spans), dtype=torch.float64)
    earns = torch.tensor([any(frame > 0 for frame in span) for span in spans])
    for name, values in terms.items():
        credited = _credited(values.double(), spans)  # in float32 the rounding of equal rewards would pass for a spread
        grouped = credited.view(-1, group, len(spans))
        centred = (grouped - grouped.mean(1, keepdim=True)).view_as(total)
        total = total + getattr(weights, name) * centred / (centred[:, earns].std() + 1e-4)
    return (total / (total[:, earns].std() + 1e-4)).clamp(-5, 5).float()


def overall(advantages: Tensor) -> Tensor:
    """Advantages (B,) of whole samples, of those of their latent frames (B,F)."""
    total = advantages.sum(1)
    return (total / (total.std() + 1e-4)).clamp(-5, 5)


def _credited(values: Tensor, spans: Sequence[range]) -> Tensor:
    """What each latent frame earns (B,F): the mean over the frames after the first (B,T-1) that it covers."""
    earned = [values[:, [frame - 1 for frame in span if frame > 0]] for span in spans]
    return torch.stack([part.mean(1) if part.shape[1] else values.new_zeros(len(values)) for part in earned], 1)


@dataclass(frozen=True, kw_only=True)
class Points:
    """Points (B,T,K,3) in metres, and which of them there are (B,T,K)."""

    xyz: Tensor
    there: Tensor


def points(depth: Tensor, mask: Tensor, rays: Tensor, order: Tensor) -> Points:
    """At most POINTS of the pixels in `mask` (B,T,H,W), unprojected at `depth`: those highest in `order` (H W).

    rays: (B,H,W,3) or (H,W,3).
    One random order serves all: equal masks give equal points, and what is compared is drawn alike.
    """
    B, T, H, W = depth.shape
    count = min(POINTS, H * W)
    chosen = (order + 2 * mask.flatten(2)).topk(count, dim=2)
    xyz = rays.reshape(-1, 1, H * W, 3) * depth.reshape(B, T, H * W, 1)
    return Points(xyz=xyz.gather(2, chosen.indices[..., None].expand(-1, -1, -1, 3)), there=chosen.values >= 2)


def chamfer(a: Points, b: Points, *, cap: Tensor) -> Tensor:
    """Symmetric nearest-neighbour distance (B,T) in metres, each capped at `cap` (B,).

    One set empty: the cap; both: 0.
    """
    exact = "donot_use_mm_for_euclid_dist"  # matrix products would leave millimetres between a point and itself
    distance = torch.cdist(a.xyz, b.xyz, compute_mode=exact)
    distance = distance.masked_fill(~(a.there[..., :, None] & b.there[..., None, :]), FAR)
    most = cap.view(-1, 1, 1)
    forward = _mean_over(distance.amin(3).minimum(most), a.there)
    back = _mean_over(distance.amin(2).minimum(most), b.there)
    some_a, some_b = a.there.any(2), b.there.any(2)
    capped = cap[:, None].expand_as(forward)
    one_empty = torch.where(some_a ^ some_b, capped, torch.zeros_like(forward))
    return torch.where(some_a & some_b, (forward + back) / 2, one_empty)


def diameter(true: Points) -> Tensor:
    """Diagonal (B,) of the box of all dynamic points over time, in metres."""
    there = true.there[..., None]
    low = true.xyz.masked_fill(~there, FAR).amin((1, 2))
    high = true.xyz.masked_fill(~there, -FAR).amax((1, 2))
    diagonal: Tensor = torch.linalg.vector_norm((high - low).clamp(min=0), dim=1)
    return diagonal


def _mean_over(values: Tensor, there: Tensor) -> Tensor:
    return (values * there).sum(2) / there.sum(2).clamp(min=1)


def _overlap(seen: Tensor, here: Tensor) -> Tensor:
    """Soft intersection over union (B,T) of foregrounds."""
    truth = here.float()
    both, either = torch.minimum(seen, truth).sum((2, 3)), torch.maximum(seen, truth).sum((2, 3))
    return both / either.clamp(min=1)


def _centroid_distance(seen: Tensor, here: Tensor) -> Tensor:
    """Distance (B,T) in pixels of the foregrounds' centroids: half the width where one is lost, 0 with none to see."""
    H, W = seen.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(H).float(), torch.arange(W).float(), indexing="ij")
    grid = torch.stack([columns, rows], -1).to(seen.device)

    def centroid(weight: Tensor) -> tuple[Tensor, Tensor]:
        mass = weight.sum((-1, -2))
        return torch.einsum("bthw,hwc->btc", weight, grid) / mass.clamp(min=1e-3)[..., None], mass

    a, mass_a = centroid(seen * (seen > 0.3))
    b, mass_b = centroid(here.float())
    distance = torch.linalg.vector_norm(a - b, dim=-1).clamp(max=W / 2)
    distance = torch.where(mass_a < 0.25 * mass_b, torch.full_like(distance, W / 2), distance)
    return distance * (mass_b > 0)
