"""The answers to one prompt, measured beside what needs no model: the true video, take 2 and a still.

All are read by the judge's network and measured by `judge.measure_clip`, as the rows of the project's own evaluation
are. What a clip gives is found by all that it follows from, so a changed video is measured again, and it alone.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

import components
from components import depth_network
from components.canonical import canonical_json
from components.depth_network import DepthNetwork
from components.errors import ParametersError
from components.evaluation.consistency.frechet import VideoFeatures
from components.evaluation.external.footage import Footage
from components.evaluation.generative import chosen_features, network_hash
from components.evaluation.judge import Videos, measure_clip
from components.evaluation.takes import TakePlace
from components.files import atomic_file
from components.pipeline.closure import import_closure

if TYPE_CHECKING:
    from components.evaluation.external.answers import Answer

REFERENCES = ("judged_truth", "take2", "first_frame")  # rows that need no model, in the evaluation's own words
TRUTH, ANSWER = "truth", "answer"
FEATURES = "features_"  # what names of rows follow in the file of a clip
REPEATED, FIRST_ERROR = "repeated", "first_frame_error"  # what is said of the answers beside their metrics
LIBRARIES = (av, cv2, np, torch)


@dataclass(frozen=True, kw_only=True)
class ClipTask:
    """One clip: its takes, a file with its answers' footage, which is removed, and where its figures go.

    judge: the folder of the depth network; network: the file of the one whose features compare sets, None for pixels;
    size: height of the frames in the Physics-IQ-style score.
    """

    place: TakePlace
    footage: Path
    judge: Path
    network: str | None
    size: int
    out: Path


def measure_answers(task: ClipTask) -> None:
    """METRICS (N,metrics) of every row; FEATURES (N,D) of every row's videos and of the truth.

    REPEATED (N,) frames; FIRST_ERROR (N,) grey levels, mean over frame 0.
    """
    pair, judge = task.place.read(), _judge(task.judge)
    features = _features(task.network, pair.take1.depth.shape)
    footage = load_footage(task.footage)
    rgb = pair.take1.rgb
    rows = {
        "judged_truth": rgb[None],
        "take2": pair.take2.rgb[None],
        "first_frame": np.repeat(rgb[None, :1], len(rgb), axis=1),
        ANSWER: footage.frames,
    }
    videos = {
        row: Videos(frames=frames, depth=np.stack([judge.predict(video) for video in frames]))
        for row, frames in rows.items()
    }
    measured = measure_clip(pair, videos, size=task.size)
    measured |= {FEATURES + row: np.stack([features(one) for one in video.frames]) for row, video in videos.items()}
    measured[FEATURES + TRUTH] = measured[FEATURES + "judged_truth"]
    differences = np.abs(footage.frames[:, 0].astype(np.float64) - rgb[0]).mean(axis=(1, 2, 3))
    with atomic_file(task.out) as file:
        np.savez(file, allow_pickle=False, **measured, **{REPEATED: footage.repeated, FIRST_ERROR: differences})
    task.footage.unlink()


def features_hash(network: str | None) -> str | None:
    """What the network in a file is known by; None for the features of pixels."""
    return network_hash(network) if network else None


def load_measured(path: Path) -> Mapping[str, NDArray[np.float64]]:
    """What `measure_answers` left."""
    with np.load(path, allow_pickle=False) as file:
        return {name: np.asarray(file[name], np.float64) for name in file.files}


def save_footage(path: Path, footage: Footage) -> None:
    """Keep what was read of a clip's answers until it is measured."""
    with atomic_file(path) as file:
        np.savez(file, allow_pickle=False, frames=footage.frames, repeated=footage.repeated)


def load_footage(path: Path) -> Footage:
    """The inverse of `save_footage`."""
    with np.load(path, allow_pickle=False) as file:
        return Footage(frames=file["frames"], repeated=file["repeated"])


def clip_key(answer: "Answer", *, hashes: Sequence[str], judge: str, network: str | None, size: int) -> str:
    """A name for what a clip's answers give: of the sha256 of each, the takes, the networks' hashes, and the code."""
    prompt = answer.prompt
    decides = {
        "videos": list(hashes),
        "shape": [*prompt.shape, prompt.fps],
        "takes": [prompt.place.take1.sha256, prompt.place.take2.sha256],
        "judge": judge,
        "features": network,
        "size": size,
        "code": _code_hash(),
    }
    return hashlib.sha256(canonical_json(decides).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """sha256 of a file; ParametersError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ParametersError(f"{path} cannot be read ({error.strerror}): make or copy this video again") from error


def judge_hash(folder: Path) -> str:
    """What the depth network in a folder is known by."""
    return "".join(file_hash(folder / name) for name in (depth_network.DESCRIPTION, depth_network.WEIGHTS))


@cache
def _judge(folder: Path) -> DepthNetwork:
    """The judge's network, loaded once in every process."""
    return depth_network.load(folder)


@cache
def _features(network: str | None, shape: tuple[int, ...]) -> VideoFeatures:
    """What turns videos (T,H,W,3) into features, loaded once in every process."""
    return chosen_features(network, shape=shape)


@cache
def _code_hash() -> str:
    """What measures here: this project's code and the libraries."""
    root = Path(components.__file__).parents[1]
    files = import_closure(Path(__file__).relative_to(root), root)
    versions = [f"{library.__name__} {library.__version__}" for library in LIBRARIES]
    return hashlib.sha256("\n".join([*(file_hash(root / path) for path in files), *versions]).encode()).hexdigest()
