"""What `phys4d bench train` measures: steps of the three stages beside the machine's matrix products.

On a CPU they are those of the laptop's twins, on an accelerator those of the published models at their own size, of
which nothing is downloaded: weights and latents are random and truth is a square that moves, because how long a step
takes does not depend on them. The bound is what the machine reaches in one large matrix product, at the precision that
training has here and in the same run. FLOPs are those of all matrix products, convolutions and attention of a step, the
optimiser's own included; what is recomputed in a backward pass counts.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from components.backbones.base import Backbone
from components.backbones.family import family
from components.backbones.outline import in_precision
from components.backbones.twin import shape_of
from components.benchmarks.simulate import Figure
from components.compute import device, mixed_precision, on_device
from components.model import Model
from components.parameters.backbones import FAMILIES, TINY
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.planning.models import planned_model
from components.processes import peak_memory
from components.training.diffusion import sample
from components.training.encoded import Encoded
from components.training.engine import engine_of
from components.training.losses import Truth
from components.training.new_heads import new_heads
from components.training.policy import Practice
from components.training.stage1 import HeadsOnPseudoLabels, PseudoLabels
from components.training.stage2 import SimulationTuning
from components.training.stage3 import Reinforcement
from components.training.trainer import Learner

if TYPE_CHECKING:
    from components.params import Params

WALL, NEAR = 6.0, 4.0  # metres
GIGA = 1e9
MEBI = 2**20
PUBLISHED: Mapping[str, tuple[str, Mapping[str, int]]] = {  # size, and the videos it is measured on
    "wan22": ("5b", {"frames": 49, "height": 480, "width": 832, "fps": 24}),
    "cogvideox": ("5b", {"frames": 49, "height": 480, "width": 720, "fps": 8}),
    "open_sora": ("1b", {"frames": 51, "height": 480, "width": 848, "fps": 24}),
}


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is timed. clips: that are trained on; steps: of each kind, the fastest counts; product: rows of one."""

    clips: int = 64
    steps: int = 5
    product: int = 2048


LARGE = Effort(clips=16, steps=3, product=8192)


def published_params(name: str) -> "Params":
    """The profile gpu with one backbone at its published size, and its videos."""
    size, video = PUBLISHED[name]
    values = profile_values("gpu")
    values["pipeline"]["backbones"] = [name]
    values["backbones"][name].update(size=size, source=FAMILIES[name][size].source)
    values["video"].update(video)
    return parse_params(values, source=f"gpu, with {name}")


def train_benchmark(params: "Params", effort: Effort) -> dict[str, Figure]:
    """The figures of all backbones of `params` by name. Use of cores is the caller's to set."""
    ceiling = product_speed(effort.product, repeats=effort.steps)
    figures = {"matrix_product": Figure(value=ceiling / GIGA, unit="GFLOP/s")}
    for backbone in params.pipeline.backbones:
        practice = make_practice(params, backbone, effort.clips)
        drawing = _seconds(lambda: _draw(practice, params.stage2.batch_size), effort.steps)  # noqa: B023 -- runs here
        for stage, work, tokens in _works(params, practice, backbone):
            name = f"{backbone}.{stage}"
            figures |= _figures(name, work, tokens=tokens, ceiling=ceiling, steps=effort.steps)
        share = drawing / figures[f"{backbone}.stage2.step"].value
        figures[f"{backbone}.stage2.waiting_for_data"] = Figure(value=share, unit="of the step", most=0.02)
        figures[f"{backbone}.peak_memory"] = Figure(value=_most_memory(), unit="MiB")
    return figures


def product_speed(rows: int, *, repeats: int) -> float:
    """FLOP/s of the product of two square matrices, at the precision of training."""
    one, other = on_device(torch.randn((2, rows, rows), generator=torch.Generator().manual_seed(0)))
    with mixed_precision(), torch.no_grad():
        seconds = _seconds(lambda: one @ other, repeats)
    return 2 * rows**3 / seconds


def make_practice(params: "Params", name: str, clips: int) -> Practice:
    """Random latents of a model's shape, and the truth of a square that goes one pixel right in every frame."""
    with torch.device("meta"):
        planned = planned_model(params, name, heads=False)
    T, H, W = params.video.frames, params.video.height, params.video.width
    generator = torch.Generator().manual_seed(0)
    latents = (clips, *planned.latent_shape)
    embedded = torch.randn((2, planned.text.tokens, planned.text.width), generator=generator)
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
        intrinsics=torch.tensor([[W, 0.0, W / 2], [0.0, W, H / 2], [0.0, 0.0, 1.0]]).repeat(clips, 1, 1),
    )


def make_model(params: "Params", name: str) -> Model:
    """A backbone of the size of `params`, heads and all, with random weights; its codec has no values."""
    with torch.device("meta"):
        model = planned_model(params, name, heads=False).model
    model = replace(model, backbone=_with_values(params, name, model.backbone))
    return replace(model, heads=new_heads(model, params.heads, seed=params.seed))


def _with_values(params: "Params", name: str, backbone: Backbone) -> Backbone:
    """A backbone like an outline, in its precision, with random weights where models compute."""
    if getattr(params.backbones, name).size == TINY:
        return family(name).make_twin(shape_of(params, name, channels=backbone.channels), seed=params.seed)
    outlined: Any = backbone.transformer
    with torch.device(device()), torch.random.fork_rng(devices=[]):
        torch.manual_seed(params.seed)
        made = type(outlined).from_config(outlined.config)
    backbone.transformer = in_precision(made, outlined.dtype)
    return backbone


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
    engine = engine_of(params.resources)
    heads = HeadsOnPseudoLabels(
        model.backbone, model.with_heads, data, labels, params.stage1, seed=params.seed, engine=engine
    )
    yield "stage1", _step_of(heads, 0), tokens * params.stage1.batch_size
    tuning = SimulationTuning(make_model(params, name), data, practice.truth, stage2, seed=params.seed, engine=engine)
    yield "stage2", _step_of(tuning, stage2.diffusion_steps), tokens * stage2.batch_size
    model = make_model(params, name)
    generator = torch.Generator().manual_seed(params.seed)
    samples = stage3.prompts * stage3.group_size
    condition = data.batch(torch.arange(samples) % len(data)).condition
    noise = on_device(torch.randn((samples, *data.latents.shape[1:]), generator=generator))
    model.backbone.transformer.to(device())
    yield (
        "stage3_rollout",
        lambda: sample(model.backbone, noise, condition, steps=stage3.sampler_steps),
        tokens * samples * stage3.sampler_steps,
    )
    policy = Reinforcement(
        model, practice, stage3, noise_level=params.heads.noise_level, seed=params.seed, engine=engine
    )
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
        _finish()
        start = perf_counter()
        work()
        _finish()
        best = min(best, perf_counter() - start)
    return best


def _finish() -> None:
    """Wait for what an accelerator was told to do."""
    if device().type == "cuda":
        torch.cuda.synchronize()


def _most_memory() -> float:
    """MiB: the most an accelerator held so far, or this process."""
    return torch.cuda.max_memory_allocated() / MEBI if device().type == "cuda" else peak_memory()
