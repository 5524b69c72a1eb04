"""Video files and folders of labels made for a test."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.pseudo_labels.collecting import collect
from components.pseudo_labels.sources import folder_source
from components.pseudo_labels.storage import VideoRow, read_rows

Frames = NDArray[np.uint8]  # T,H,W,3

SMOKE = parse_params(profile_values("smoke"), source="smoke")
FORM = SMOKE.video.model_copy(update={"frames": 5, "height": 32, "width": 32, "fps": 16})
LIMITS = SMOKE.videos
CODECS = {".mp4": "mpeg4", ".mov": "mpeg4", ".webm": "libvpx", ".gif": "gif"}


@dataclass
class Counter:
    """A display that only counts."""

    resumed: int = 0
    done: int = 0
    on_advance: Callable[[], None] = field(default=lambda: None)

    def resume(self, done: int) -> None:
        self.resumed = done

    def advance(self, count: int) -> None:
        self.done += count
        self.on_advance()


def panning(count: int, *, height: int = 32, width: int = 32, step: int = 1, seed: int = 0) -> Frames:
    """A smooth coloured picture that moves to the left by `step` pixels a frame."""
    noise = np.random.default_rng(seed).normal(size=(height, width + count * abs(step), 3))
    smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), 2.0))
    picture = np.clip(128 + 50 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    return np.stack([picture[:, index * step : index * step + width] for index in range(count)])


def write_file(
    path: Path, frames: Frames, *, fps: int = 16, rotation: int = 0, times: Sequence[int] | None = None
) -> Path:
    """A video of `frames`; `times` in units of 1/1000 s instead of every 1/fps; `rotation` counter-clockwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(CODECS[path.suffix.lower()], rate=fps)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "rgb8" if path.suffix == ".gif" else "yuv420p"
        stream.bit_rate = 4_000_000
        if rotation:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format=stream.pix_fmt)
            if times is not None:
                picture.pts, picture.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """A file with sound and no video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 16_000
        container.mux(stream.encode(silence))
        container.mux(stream.encode())
    return path


def collected(folder: Path, work: Path, *, processes: int = 1) -> tuple[Mapping[str, float], list[VideoRow]]:
    """The figures and the rows of the videos below `folder`."""
    source = folder_source(folder, FORM, LIMITS, field="videos.source")
    figures = collect(
        source, field="videos.source", work=work, processes=processes, stopped=lambda: False, display=Counter()
    )
    return figures, read_rows(work / "videos", VideoRow)
