"""The features by which sets of videos are compared: of pixels, or of a network that the user brings."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.errors import ParametersError, Phys4dError
from components.evaluation.consistency.arrays import MeasureError
from components.evaluation.consistency.frechet import PixelFeatures, TorchscriptFeatures, VideoFeatures
from components.files import atomic_file

FIELD = "evaluation.frechet_network"


def chosen_features(network: str | None, *, shape: tuple[int, ...]) -> VideoFeatures:
    """What `evaluation.frechet_network` names, tried on a black video of `shape` (T,H,W); without it those of pixels.

    ParametersError names the field where the file is missing, no torchscript, or makes nothing of such a video.
    """
    if network is None:
        return PixelFeatures()
    try:
        features = TorchscriptFeatures(Path(network))
        found = features(np.zeros((*shape, 3), np.uint8))
    except MeasureError as error:
        raise ParametersError(f"{FIELD}: {error}") from error
    except (RuntimeError, TypeError) as error:  # what torch raises of sizes and arguments
        frames, height, width = shape
        raise ParametersError(
            f"{FIELD}: {network} does not take a video (1,3,{frames},{height},{width}) of floats in 0..255 "
            f"({str(error).strip().splitlines()[-1]}): save one that resizes and takes this alone"
        ) from error
    if not found.size or not np.isfinite(found).all():
        raise ParametersError(f"{FIELD}: {network} gives {found.size} features, expected finite numbers")
    return features


def network_hash(network: str) -> str:
    """sha256 of the file, by which figures of two networks of one name are told apart."""
    with Path(network).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def features_of_rows(
    videos: Mapping[str, Iterable[NDArray[np.uint8]]], features: VideoFeatures, work: Path, check: Callable[[], None]
) -> dict[str, NDArray[np.float64]]:
    """Features (C,N,D) of each row, whose videos (N,T,H,W,3) come clip by clip; kept in `work`.

    `check` is called between clips, and may raise. Phys4dError: a network that gives features of another length.
    """
    found = {}
    for row, clips in videos.items():
        path = work / f"{row}.npy"
        if not path.exists():
            made = []
            for clip in clips:
                check()
                made.append([features(video) for video in clip])
            if len({len(vector) for vectors in made for vector in vectors}) != 1:
                raise Phys4dError(f"{features.name}: features of videos of one size differ in length; use another")
            with atomic_file(path) as file:
                np.save(file, np.array(made))
        found[row] = np.load(path)
    return found
