"""A project with a tiny test split and judge, and videos that answer its prompts."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

import av
import numpy as np
import torch
from numpy.typing import NDArray

from components import depth_network
from components.depth_network import DepthNetwork, UNet
from components.evaluation.external.evaluate import Done, External, evaluate_videos
from components.evaluation.external.prompts import Prompt, read_prompts
from components.progress import Progress
from tests.evaluation.splits import write_split

CONFIGURATIONS = 3
SPLIT, JUDGE = Path("data/simulation/test"), Path("models/depth_nets/judge")
Frames = NDArray[np.uint8]


def make_project(root: Path, *, configurations: int = CONFIGURATIONS) -> Path:
    """Clips of discs, and a judge."""
    write_split(root / SPLIT, configurations=configurations)
    save_judge(root / JUDGE)
    return root


def save_judge(folder: Path, *, seed: int = 0) -> None:
    """A network that was never trained: it reads all rows alike."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        depth_network.save(DepthNetwork(depth_kind="metric", module=UNet(4)), folder)


def prompts_of(root: Path) -> list[Prompt]:
    return read_prompts(root / SPLIT)


def true_frames(prompt: Prompt) -> Frames:
    return prompt.place.read().take1.rgb


def frozen(frames: Frames) -> Frames:
    return np.repeat(frames[:1], len(frames), axis=0)


def write_lossless(path: Path, frames: Frames, *, fps: int = 16) -> Path:
    """A .mov whose every frame is a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=fps)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "rgb24"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode())
    return path


def answer_all(root: Path, folder: Path, make: Callable[[Frames], Frames] = lambda frames: frames) -> Path:
    """A video for every prompt: what `make` makes of the truth."""
    for prompt in prompts_of(root):
        write_lossless(folder / f"{prompt.id}.mov", make(true_frames(prompt)))
    return folder


def external(root: Path, videos: Path, *, name: str = "other", allow_missing: bool = False) -> External:
    return External(
        name=name,
        videos=videos,
        root=root,
        split=root / SPLIT,
        judge=root / JUDGE,
        network=None,
        own=root / "data/evaluation/wan22",
        out=root / "data/evaluation/external" / name,
        work=root / ".phys4d/external" / name,
        allow_missing=allow_missing,
        score_size=64,
        resamples=100,
        seed=0,
        processes=1,
    )


class Display(Progress):
    """Counts, and shows nothing."""

    def __init__(self) -> None:
        self.done = self.total = 0

    def open(self, total: int) -> Progress:
        self.total = total
        return self

    def __enter__(self) -> Self:
        return self

    def advance(self, count: int = 1) -> None:
        self.done += count

    def __exit__(self, *_: object) -> None:
        pass


def run_external(wanted: External, *, stopped: Callable[[], bool] = lambda: False) -> Done:
    return evaluate_videos(wanted, stopped=stopped, progress=Display().open)
