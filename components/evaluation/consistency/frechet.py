"""Frechet distance of two sets of videos, in the features of any network.

Only with an I3D that was trained on Kinetics-400 it is the Frechet video distance (Unterthiner et al., 2018), and then
`name` says which file. Without weights at hand features are statistics of pixels; the figure is named so.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from components.evaluation.consistency.arrays import Floats, MeasureError, Sizes, Values

GRID, MOMENTS = 4, 4  # cells a side, and of time


class VideoFeatures(Protocol):
    """What makes a vector of a video. `name` is the figure's: it says whose features they are."""

    name: str

    def __call__(self, video: NDArray[np.uint8]) -> Floats:
        """Features (D,) of frames (T,H,W,3)."""
        ...


class PixelFeatures:
    """Mean colour of 4 x 4 cells in 4 spans of time, and their mean change between frames, in 0..1: (256,) in all.

    Knows brightness, colour, place and how much moves; knows nothing of what is shown.
    """

    name = "frechet_pixel_features"

    def __call__(self, video: NDArray[np.uint8]) -> Floats:
        """Features (256,) of frames (T,H,W,3); a video of one frame changes by 0."""
        frames = Sizes().floats("video", video, "T", "H", "W", 3) / 255
        if not frames.size or min(frames.shape[1:3]) < GRID:
            raise MeasureError(f"video has shape {frames.shape}, expected a frame or more of at least {GRID}x{GRID}")
        change = np.abs(np.diff(frames, axis=0, prepend=frames[:1])).mean(axis=-1, keepdims=True)
        both = np.concatenate([frames, change], axis=-1)
        rows = np.stack([band.mean(axis=1) for band in np.array_split(both, GRID, axis=1)], axis=1)
        cells = np.stack([band.mean(axis=2) for band in np.array_split(rows, GRID, axis=2)], axis=2)
        spans = [cells[min(start, len(cells) - 1) : max(end, start + 1)] for start, end in _spans(len(cells))]
        return np.concatenate([span.mean(axis=0).ravel() for span in spans])


class TorchscriptFeatures:
    """A network that the user saved as torchscript, such as an I3D; called on (1,3,T,H,W) float in 0..255.

    `arguments` go along: files of I3D that take rescale, resize and return_features want all three True. Torchscript is
    no pickle and runs operations of torch alone, but those read and write files too: open only files that you trust.
    """

    def __init__(self, path: Path, arguments: dict[str, bool] | None = None) -> None:
        import torch

        if not path.is_file():
            raise MeasureError(f"feature network {path} is not a file, expected a torchscript file such as i3d.pt")
        try:
            self._network = torch.jit.load(str(path), map_location="cpu").eval()
        except RuntimeError as error:
            raise MeasureError(
                f"feature network {path} is not torchscript ({str(error).splitlines()[0]}): save it with torch.jit.save"
            ) from error
        self._arguments = arguments or {}
        self.name = f"frechet_{re.sub(r'[^0-9A-Za-z_]+', '_', path.stem)}"  # a part of keys that dots divide

    def __call__(self, video: NDArray[np.uint8]) -> Floats:
        """Features (D,) of frames (T,H,W,3); whatever shape the network gives is flattened."""
        import torch

        frames = torch.from_numpy(np.ascontiguousarray(video)).permute(3, 0, 1, 2)[None].float()
        with torch.no_grad():
            found = self._network(frames, **self._arguments)
        return np.asarray(found.double().numpy().ravel(), np.float64)


def frechet_of_videos(
    videos: Sequence[NDArray[np.uint8]], truth: Sequence[NDArray[np.uint8]], features: VideoFeatures
) -> float:
    """`frechet_distance` of the features of two sets of videos (T,H,W,3), two or more each."""
    found, wanted = (np.array([features(video) for video in side]) for side in (videos, truth))
    return frechet_distance(found, wanted)


def frechet_distance(one: Values, other: Values) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of features (N,D) and (M,D); 0 is best (Dowson and Landau, 1982).

    m and S are mean and covariance (over N - 1). Features without variance are compared by their means. With fewer
    videos than features the covariance has no full rank: the figure is defined, but biased upwards; compare figures of
    equal N alone. MeasureError: fewer than two videos on a side, or features that are not finite.
    """
    sizes = Sizes()
    one, other = sizes.truth("features", one, "N", "D"), sizes.truth("features of truth", other, "M", "D")
    if min(len(one), len(other)) < 2:
        raise MeasureError(f"{len(one)} videos against {len(other)}, expected two or more each: they need a covariance")
    first, second = (np.atleast_2d(np.cov(values, rowvar=False)) for values in (one, other))
    root = _root(first)
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0.0)).sum()
    apart = one.mean(axis=0) - other.mean(axis=0)
    return max(float(apart @ apart + np.trace(first) + np.trace(second) - 2 * shared), 0.0)


def _root(matrix: Floats) -> Floats:
    """The symmetric square root of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T, np.float64)


def _spans(frames: int) -> list[tuple[int, int]]:
    cuts = np.linspace(0, frames, MOMENTS + 1).astype(int).tolist()
    return list(pairwise(cuts))
