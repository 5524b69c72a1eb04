"""What `phys4d bench metrics` measures: 4D Chamfer of a clip as large as the published models make, on one core.

Points lie on moving spheres, in the order of pixels, as unprojected depth has them. Ratios are of runs that take turns,
each the best of some, so that a machine with other work gives them too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from components.benchmarks.simulate import Figure
from components.evaluation.consistency.arrays import Floats
from components.evaluation.consistency.points import chamfer_joint, chamfer_per_frame

FPS = 16


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """How much is compared. exhaustive: frames of which all pairs of points are measured, to be compared with."""

    frames: int = 49
    points: int = 10_000
    exhaustive: int = 3
    repeats: int = 3


def metrics_benchmark(cloud: Cloud | None = None) -> dict[str, Figure]:
    """The figures by name: seconds, and the same over the time of `torch.cdist` on all pairs."""
    cloud = cloud or Cloud()
    predicted, truth = (moving_sphere(cloud, seed=seed, ahead=0.02 * seed) for seed in (0, 1))
    frames = slice(0, cloud.exhaustive)
    whole, joint, few, exhaustive = [], [], [], []
    for _ in range(cloud.repeats):
        whole.append(_seconds(lambda: chamfer_per_frame(predicted, truth)))
        joint.append(_seconds(lambda: chamfer_joint(predicted, truth, fps=FPS)))
        few.append(_seconds(lambda: chamfer_per_frame(predicted[frames], truth[frames])))
        exhaustive.append(_seconds(lambda: all_pairs(predicted[frames], truth[frames])))
    return {
        "chamfer": Figure(value=min(whole), unit="s", most=1.0),
        "chamfer_joint": Figure(value=min(joint), unit="s"),
        "all_pairs_over_chamfer": Figure(value=min(exhaustive) / min(few), unit="times", least=20.0),
    }


def moving_sphere(cloud: Cloud, *, seed: int, ahead: float) -> list[Floats]:
    """Points (N,3) of each frame on the near half of a sphere that goes across, in reading order."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(cloud.points / np.pi * 4))) + 4  # more than enough: a grid does not fill a disc evenly
    row, column = np.meshgrid(*[np.linspace(-1, 1, side)] * 2, indexing="ij")
    inside = np.hypot(row, column) < 1
    across, down = column[inside][: cloud.points], row[inside][: cloud.points]
    shape = np.stack([across, down, np.sqrt(1 - across**2 - down**2)], axis=-1)
    return [
        shape + (0.05 * frame + ahead, 0.0, 0.0) + 1e-3 * rng.normal(size=shape.shape) for frame in range(cloud.frames)
    ]


def all_pairs(predicted: list[Floats], truth: list[Floats]) -> float:
    """The mean distance to the nearest point, both ways, by every distance there is; not cut."""
    import torch

    found = []
    for one, other in zip(predicted, truth, strict=True):
        apart = torch.cdist(torch.from_numpy(one).float(), torch.from_numpy(other).float())
        found.append(float(apart.min(dim=1).values.mean() + apart.min(dim=0).values.mean()) / 2)
    return float(np.mean(found))


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start
