"""A world of one moving square, and twins small enough to train on it within seconds.

Nine frames of 32x32 pixels. A square of 8 pixels moves at a constant velocity before a wall; its colour says which, so
the first frame decides the future. Truth is a formula. Legend: N clips, T frames, H, W.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from components.backbones import laptop_latents, text
from components.backbones.base import Frames
from components.backbones.family import TwinShape, VideoShape
from components.backbones.wan22.backbone import Wan, make_twin
from components.heads import Heads, HeadsShape
from components.model import Model
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.params import Text
from components.progress import Progress
from components.training.encoded import Encoded
from components.training.losses import Truth
from components.training.policy import Practice
from components.training.stage1 import PseudoLabels
from components.training.trainer import Surroundings

FRAMES, SIZE, SIDE = 9, 32, 8  # frames, pixels, pixels of the square
WALL, NEAR, APPROACH = 6.0, 4.0, 0.15  # metres, metres, metres a frame
CHANNELS, TEXT_WIDTH, TEXT_LENGTH, HEADS_WIDTH = 8, 16, 4, 12
INTRINSICS = torch.tensor([[32.0, 0.0, 15.5], [0.0, 32.0, 15.5], [0.0, 0.0, 1.0]])
CAPTIONS = ("A square moves before a wall.", "A grey wall.")

SMOKE = parse_params(profile_values("smoke"), source="smoke")
PREPARE = SMOKE.prepare.model_copy(update={"steps": 6, "caption_dropout": 0.5})
STAGE1 = SMOKE.stage1.model_copy(update={"steps": 6})
STAGE2 = SMOKE.stage2.model_copy(update={"blocks": 1, "lora_rank": 4})
STAGE3 = SMOKE.stage3.model_copy(
    update={"iterations": 2, "lora_rank": 4, "sampler_steps": 3, "kl": 0.01, "clip": 1e-4, "anchor": 0.3}
)


@dataclass(frozen=True, kw_only=True)
class World:
    """Videos (N,T,H,W,3), what is true of them, and the velocity (N,2) of each square in pixels a frame."""

    rgb: Frames
    truth: Truth
    velocity: NDArray[np.int64]


@cache
def make_world(count: int, seed: int = 0) -> World:
    """`count` clips of one moving square."""
    rng = np.random.default_rng(seed)
    start = rng.integers(SIDE, SIZE - 2 * SIDE + 1, (count, 2))
    velocity = rng.integers(-1, 2, (count, 2))
    approach = APPROACH * rng.integers(-1, 2, count)
    rgb = np.full((count, FRAMES, SIZE, SIZE, 3), 110, np.uint8)
    mask = np.zeros((count, FRAMES, SIZE, SIZE), np.bool_)
    depth = np.full(mask.shape, WALL, np.float32)
    for clip in range(count):
        for frame in range(FRAMES):
            left, top = start[clip] + frame * velocity[clip]
            place = (clip, frame, slice(top, top + SIDE), slice(left, left + SIDE))
            rgb[place] = (*(128 + 120 * velocity[clip]), 128 + 120 * np.sign(approach[clip]))
            mask[place], depth[place] = True, NEAR + frame * approach[clip]
    here = mask[:, :-1]
    return World(
        rgb=rgb,
        truth=Truth(
            log_depth=torch.from_numpy(depth).log(),
            valid=torch.ones(depth.shape, dtype=torch.bool),
            foreground=torch.from_numpy(mask),
            flow=torch.from_numpy((here[:, :, None] * velocity[:, None, :, None, None]).astype(np.float32)),
            depth_change=torch.from_numpy((here * approach[:, None, None, None]).astype(np.float32)),
            visible=torch.from_numpy(here | ~mask[:, 1:]),
        ),
        velocity=velocity,
    )


@cache
def make_codec() -> laptop_latents.LaptopLatents:
    """Latents fitted on squares."""
    return laptop_latents.fit(make_world(64).rgb, channels=CHANNELS)


@cache
def make_text() -> text.TinyT5:
    """A text encoder that knows two captions."""
    return text.fit(CAPTIONS, Text(vocabulary=64, length=TEXT_LENGTH, width=TEXT_WIDTH), seed=0)


def make_backbone(*, seed: int = 0, layers: int = 2, heads: int = 2) -> Wan:
    """A twin with weights drawn from `seed`."""
    backbone = make_twin(twin_shape(layers=layers, heads=heads), seed=seed)
    backbone.transformer.eval().requires_grad_(False)
    return backbone


def twin_shape(*, layers: int = 2, heads: int = 2) -> TwinShape:
    """Of transformers of this world's videos."""
    return TwinShape(
        layers=layers,
        heads=heads,
        head_width=32,
        time_shift=3.0,
        channels=CHANNELS,
        text_width=TEXT_WIDTH,
        text_tokens=TEXT_LENGTH,
        video=VideoShape(frames=FRAMES, height=SIZE, width=SIZE, fps=8.0),
    )


def make_heads(*, width: int = HEADS_WIDTH, tap_width: int = 64, seed: int = 0) -> Heads:
    """Heads that fit `make_backbone`."""
    shape = HeadsShape(taps=2, tap_width=tap_width, channels=CHANNELS, patch=2, stride=8, width=width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Heads(shape).eval().requires_grad_(False)


def make_model(*, seed: int = 0) -> Model:
    """An untrained model of all parts."""
    return Model(
        backbone=make_backbone(seed=seed), codec=make_codec(), text=make_text(), base="", heads=make_heads(seed=seed)
    )


def encode(world: World) -> Encoded:
    """The world's clips as training reads them; all have the same caption."""
    embedded = make_text().encode([CAPTIONS[0], ""])
    return Encoded(
        latents=make_codec().encode(world.rgb), text=embedded[:1].repeat(len(world.rgb), 1, 1), empty=embedded[1]
    )


def pseudo_labels(world: World) -> PseudoLabels:
    """Perfect pseudo-labels: disparity up to scale and shift, flow, full confidence."""
    truth = world.truth
    return PseudoLabels(
        depth=2 * (-truth.log_depth).exp() + 3,
        depth_kind="affine_disparity",
        flow=truth.flow,
        confidence=torch.ones_like(truth.depth_change),
    )


def make_practice(count: int = 8) -> Practice:
    """Clips to practise on, with the camera that sees them all."""
    world = make_world(count)
    return Practice(data=encode(world), truth=world.truth, intrinsics=INTRINSICS.repeat(count, 1, 1))


@contextmanager
def one_thread() -> Iterator[None]:
    """Tensors so small that a second thread only waits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def surroundings(
    folder: Path,
    *,
    stopped: Callable[[], bool] = lambda: False,
    log: Callable[[Mapping[str, float], int], None] = lambda figures, step: None,
) -> Surroundings:
    """A training that nobody looks at."""
    return Surroundings(folder=folder, display=Progress("training", 6, unit="steps"), stopped=stopped, log=log)


def assert_same(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> None:
    """Two mappings of tensors are equal bit for bit."""
    assert sorted(left) == sorted(right)
    assert [name for name in left if not torch.equal(left[name], right[name])] == []


def copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors as they are now."""
    return {name: value.detach().clone() for name, value in tensors.items()}


def assert_moved(before: Mapping[str, Tensor], module: torch.nn.Module, figures: Mapping[str, float]) -> None:
    """Figures are numbers, and something that trains has changed."""
    assert all(math.isfinite(value) for value in figures.values())
    trained = {name for name, value in module.named_parameters() if value.requires_grad}
    assert trained
    assert any(not torch.equal(before[name], value) for name, value in module.named_parameters() if name in trained)
