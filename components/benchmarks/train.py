"""What `phys4d bench train` measures: steps of the three stages on a tiny twin, beside the machine's matrix products.

Weights and latents are random and truth is a square that moves: how long a step takes does not depend on them. The
bound is what the machine reaches in one large matrix product, at the precision that training has here and in the same
run. FLOPs are those of all matrix products, convolutions and attention of a step, the optimiser's own included.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from components.backbones import laptop_latents, text
from components.backbones.family import family
from components.backbones.twin import shape_of
from components.benchmarks.simulate import Figure
from components.compute import mixed_precision
from components.model import Model
from components.processes import peak_memory
from components.training.diffusion import sample
from components.training.encoded import Encoded
from components.training.losses import Truth
from components.training.new_heads import new_heads
from components.training.policy import Practice
from components.training.rewards import rays_of
from components.training.stage1 import HeadsOnPseudoLabels, PseudoLabels
from components.training.stage2 import SimulationTuning
from components.training.stage3 import Reinforcement
from components.training.trainer import Learner

if TYPE_CHECKING:
    from components.params import Params

CAPTION = "A square moves before a wall."
WALL, NEAR = 6.0, 4.0  # metres
GIGA = 1e9


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is timed. clips: that are trained on; steps: of each kind, the fastest counts; product: rows of one."""

    clips: int = 64
    steps: int = 5
    product: int = 2048


def train_benchmark(params: "Params", effort: Effort | None = None) -> dict[str, Figure]:
    """The figures by name; `params`: the laptop's. Use of cores is the caller's to set."""
    effort = effort or Effort()
    ceiling = product_speed(effort.product, repeats=effort.steps)
    figures = {"matrix_product": Figure(value=ceiling / GIGA, unit="GFLOP/s")}
    practice = make_practice(params, effort.clips)
    drawing = _seconds(lambda: _draw(practice, params.stage2.batch_size), effort.steps)
    for backbone in params.pipeline.backbones:
        for stage, work, tokens in _works(params, practice, backbone):
            name = f"{backbone}.{stage}"
            figures |= _figures(name, work, tokens=tokens, ceiling=ceiling, steps=effort.steps)
        share = drawing / figures[f"{backbone}.stage2.step"].value
        figures[f"{backbone}.stage2.waiting_for_data"] = Figure(value=share, unit="of the step", most=0.02)
    return {**figures, "peak_memory": Figure(value=peak_memory(), unit="MiB")}


def product_speed(rows: int, *, repeats: int) -> float:
    """FLOP/s of the product of two square matrices, at the precision of training."""
    one, other = torch.randn((2, rows, rows), generator=torch.Generator().manual_seed(0))
    with mixed_precision(), torch.no_grad():
        seconds = _seconds(lambda: one @ other, repeats)
    return 2 * rows**3 / seconds


def make_practice(params: "Params", clips: int) -> Practice:
    """Random latents of the model's shape, and the truth of a square that goes one pixel right in every frame."""
    video = params.video
    T, H, W = video.frames, video.height, video.width
    generator = torch.Generator().manual_seed(0)
    latents = (clips, params.latents.channels, (T - 1) // 4 + 1, H // laptop_latents.PATCH, W // laptop_latents.PATCH)
    embedded = torch.randn((2, params.text.length, params.text.width), generator=generator)
    square = torch.zeros((clips, T, H, W), dtype=torch.bool)
    for frame in range(T):
        left = (W // 4 + frame) % (W - W // 4)
        square[:, frame, H // 3 : H // 3 + H // 4, left : left + W // 4] = True
    flow = torch.zeros((clips, T - 1, 2, H, W), dtype=torch.float16)
    flow[:, :, 0][square[:, :-1]] = 1.0
    return Practice(
        data=Encoded(
            latents=torch.randn(latents, generator=generator),
            text=embedded[:1].repeat(clips, 1, 1),
            empty=embedded[1],
        ),
        truth=Truth(
            log_depth=torch.where(square, math.log(NEAR), math.log(WALL)).half(),
            valid=torch.ones_like(square),
            foreground=square,
            flow=flow,
            depth_change=torch.zeros((clips, T - 1, H, W), dtype=torch.float16),
            visible=square[:, :-1] | ~square[:, 1:],
        ),
        rays=rays_of(torch.tensor([[W, 0.0, W / 2], [0.0, W, H / 2], [0.0, 0.0, 1.0]]), H, W),
    )


def make_model(params: "Params", name: str) -> Model:
    """A twin of the laptop's size of the backbone of that name, heads and all, with random weights."""
    frames = torch.randint(0, 256, (8, params.video.frames, 64, 64, 3), generator=torch.Generator().manual_seed(0))
    codec = laptop_latents.fit(frames.to(torch.uint8).numpy(), channels=params.latents.channels)
    model = Model(
        backbone=family(name).make_twin(shape_of(params, name, channels=codec.channels), seed=params.seed),
        codec=codec,
        text=text.fit([CAPTION], params.text, seed=params.seed),
        base="",
    )
    return replace(model, heads=new_heads(model, params.heads, seed=params.seed))


def _works(params: "Params", practice: Practice, name: str) -> Iterator[tuple[str, Callable[[], object], int]]:
    """What is timed: its name, one step of it, and how many tokens of video go through the transformer in it."""
    data, stage2, stage3 = practice.data, params.stage2, params.stage3
    model = make_model(params, name)
    patch = model.backbone.patch
    tokens = math.prod(data.latents.shape[2:]) // patch**2
    truth = practice.truth[torch.arange(len(data))]
    labels = PseudoLabels(
        depth=truth.log_depth,
        depth_kind="affine_disparity",
        flow=truth.flow,
        confidence=truth.visible.half(),
    )
    heads = HeadsOnPseudoLabels(model.backbone, model.with_heads, data, labels, params.stage1, seed=params.seed)
    yield "stage1", _step_of(heads, 0), tokens * params.stage1.batch_size
    tuning = SimulationTuning(make_model(params, name), data, practice.truth, stage2, seed=params.seed)
    yield "stage2", _step_of(tuning, stage2.diffusion_steps), tokens * stage2.batch_size
    model = make_model(params, name)
    generator = torch.Generator().manual_seed(params.seed)
    samples = stage3.prompts * stage3.group_size
    condition = data.batch(torch.arange(samples) % len(data)).condition
    noise = torch.randn((samples, *data.latents.shape[1:]), generator=generator)
    yield (
        "stage3_rollout",
        lambda: sample(model.backbone, noise, condition, steps=stage3.sampler_steps),
        tokens * samples * stage3.sampler_steps,
    )
    policy = Reinforcement(model, practice, stage3, noise_level=params.heads.noise_level, seed=params.seed)
    yield "stage3", _step_of(policy, 0), tokens * samples * (stage3.sampler_steps + 1)


def _step_of(learner: Learner, number: int) -> Callable[[], object]:
    return lambda: learner.update(number)


def _figures(name: str, work: Callable[[], object], *, tokens: int, ceiling: float, steps: int) -> dict[str, Figure]:
    with FlopCounterMode(display=False) as counter:
        work()
    seconds = _seconds(work, steps)
    speed = counter.get_total_flops() / seconds
    return {
        f"{name}.step": Figure(value=seconds, unit="s"),
        f"{name}.tokens": Figure(value=tokens / seconds, unit="a second"),
        f"{name}.speed": Figure(value=speed / GIGA, unit="GFLOP/s"),
        f"{name}.of_matrix_product": Figure(value=speed / ceiling, unit="of it"),
    }


def _draw(practice: Practice, count: int) -> tuple[Tensor, Truth]:
    """What a step of stage 2 reads before it computes."""
    numbers, _ = practice.data.draw(count, torch.Generator().manual_seed(0), caption_dropout=0.1)
    return numbers, practice.truth[numbers]


def _seconds(work: Callable[[], object], repeats: int) -> float:
    """The least seconds of some runs, after one that is not counted."""
    work()
    best = math.inf
    for _ in range(repeats):
        start = perf_counter()
        work()
        best = min(best, perf_counter() - start)
    return best
