"""Small folders of videos whose Physics-IQ numbers are known: the benchmark's own code was run on these very clips.

Each sample is one scenario in three views, of discs that fall and drift before a textured wall. The numbers are in
tests/data/physics_iq_oracle/expected.json; they hold for the OpenCV version in constraints.txt, whose mp4v encoder
writes the clips. Videos that had to change their frame rate went through the benchmark's own change of rate, stored
without loss.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

VIEWS = ("left", "center", "right")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How one folder differs from clips of 5 seconds, 160x120 pixels and 8 frames a second."""

    fps: int = 8  # of the generated videos
    real_fps: int = 8
    common_fps: int | None = None  # asked for; the generated videos' by default
    real_size: tuple[int, int] = (160, 120)
    take2_size: tuple[int, int] | None = None
    real_moves: bool = True
    generated_size: tuple[int, int] = (160, 120)
    generated_seconds: int = 5
    kind: str = "discs"  # or static, noise
    speed: float = 1.0
    other_scene: bool = False


SAMPLES = {
    "static": Sample(kind="static"),
    "noise": Sample(kind="noise"),
    "faster": Sample(speed=1.3, real_size=(320, 240), generated_size=(320, 240)),
    "16_fps": Sample(fps=16, real_fps=16, speed=0.8),
    "480x270": Sample(real_size=(480, 270), generated_size=(320, 240), speed=1.1),
    "generated_larger": Sample(generated_size=(432, 240), speed=1.1),
    "take_2_larger": Sample(take2_size=(240, 180), speed=1.1),
    "longer": Sample(generated_seconds=7, speed=0.9),
    "other_motion": Sample(other_scene=True),
    "real_is_still": Sample(real_moves=False),
    "real_at_30_fps": Sample(real_fps=30, speed=1.2),
    "generated_at_24_fps": Sample(fps=24, common_fps=8, speed=1.2),
}


def clip(
    *, seed: int, seconds: float, fps: float, size: tuple[int, int], speed: float = 1.0, delay: float = 0.0
) -> NDArray[np.uint8]:
    """(T, H, W, 3) RGB: three coloured discs that fall under gravity after `delay` seconds, bounce, and drift."""
    rng = np.random.default_rng(seed)
    width, height = size
    wall = cv2.resize(rng.integers(90, 170, (9, 12, 3), dtype=np.uint8), size, interpolation=cv2.INTER_CUBIC)
    starts = rng.uniform(0.2, 0.8, 3)
    drifts = rng.uniform(-0.08, 0.08, 3)
    colours = rng.integers(0, 255, (3, 3)).tolist()
    frames = []
    for index in range(round(seconds * fps)):
        time = max(index / fps - delay, 0.0) * speed
        frame = wall.copy()
        for start, drift, colour in zip(starts, drifts, colours, strict=True):
            drop = abs((0.35 * time + start) % 1.6 - 0.8) / 0.8
            centre = (round((start + drift * time) * width), round((0.1 + 0.8 * drop) * height))
            cv2.circle(frame, centre, height // 9, colour, -1)
        frames.append(frame)
    return np.stack(frames)


def write_video(path: Path, frames: NDArray[np.uint8], *, fps: float) -> None:
    """Write RGB frames as mp4v."""
    height, width = frames.shape[1:3]
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()


def real_name(number: int, *, fps: int, view: str, take: int, scenario: str = "fall") -> str:
    """The benchmark's name for a real video."""
    return f"{number:04d}_testing-videos_{fps}FPS_perspective-{view}_take-{take}_trimmed-{scenario}.mp4"


def write_sample(sample: Sample, folder: Path) -> tuple[Path, Path]:
    """Write the folders of generated and of real videos; their paths."""
    for number, view in enumerate(VIEWS, start=1):
        takes = {1: (sample.real_size, 1.0), 2: (sample.take2_size or sample.real_size, 1.05)}
        for take, (size, speed) in takes.items():
            moving = speed if sample.real_moves else 0.0
            frames = clip(seed=number, seconds=5, fps=sample.real_fps, size=size, speed=moving)
            name = real_name(number + 3 * (take - 1), fps=sample.real_fps, view=view, take=take)
            write_video(folder / "real" / name, frames, fps=sample.real_fps)
        name = f"{number:04d}_perspective-{view}_trimmed-fall.mp4"
        write_video(folder / "generated" / name, _generated(sample, number), fps=sample.fps)
    return folder / "generated", folder / "real"


def _generated(sample: Sample, number: int) -> NDArray[np.uint8]:
    seed = number + 50 if sample.other_scene else number
    speed = 0.0 if sample.kind == "static" else sample.speed
    size, seconds = sample.generated_size, sample.generated_seconds
    frames = clip(seed=seed, seconds=seconds, fps=sample.fps, size=size, speed=speed)
    if sample.kind == "noise":
        return np.random.default_rng(number).integers(0, 256, frames.shape, dtype=np.uint8)
    return frames
