"""Steps of training are timed as they are trained, and their FLOPs are those of the formula."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from components.backbones import wan22
from components.backbones.family import VideoShape
from components.backbones.outline import Outline, in_precision
from components.backbones.twin import shape_of
from components.backbones.wan22.backbone import Wan
from components.benchmarks.train import (
    PUBLISHED,
    Effort,
    make_model,
    make_practice,
    product_speed,
    published_params,
    train_benchmark,
)
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.planning.models import planned_model
from components.training.diffusion import sample
from tests.training.twins import one_thread

SMOKE = parse_params(profile_values("smoke"), source="smoke")
FREQUENCIES = 64  # of the tiny twin's embedding of time
FEW = Effort(clips=4, steps=1, product=64)


def test_every_kind_of_step_is_timed_beside_the_same_product() -> None:
    with one_thread():
        figures = train_benchmark(SMOKE, FEW)
    for name in ("wan22.stage1", "wan22.stage2", "wan22.stage3_rollout", "wan22.stage3"):
        step, tokens, speed, share = (
            figures[f"{name}.{figure}"].value for figure in ("step", "tokens", "speed", "of_matrix_product")
        )
        assert min(step, tokens) > 0
        assert share == pytest.approx(speed / figures["matrix_product"].value)
    assert figures["wan22.stage3.step"].value > figures["wan22.stage3_rollout.step"].value
    assert 0 < figures["wan22.stage2.waiting_for_data"].value < 1
    assert figures["wan22.peak_memory"].value > 50


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes_are_measured_on_their_own_videos(name: str) -> None:
    params = published_params(name)
    assert params.pipeline.backbones == [name]
    with torch.device("meta"):
        planned = planned_model(params, name, heads=False)
    assert (
        planned.latent_shape[1:] == {"wan22": (13, 30, 52), "cogvideox": (13, 60, 90), "open_sora": (15, 60, 106)}[name]
    )


def test_a_published_model_is_measured_with_weights_that_were_never_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outline of a tiny transformer of the same class stands for the published one."""

    def outline(_: VideoShape) -> Outline:
        with torch.device("meta"):
            twin = wan22.make_twin(shape_of(SMOKE, "wan22", channels=8), seed=0)
            transformer = in_precision(twin.transformer, torch.bfloat16)
        codec = SimpleNamespace(channels=8, spatial_stride=8, vae=torch.nn.Linear(1, 1, device="meta"))
        return Outline(
            backbone=Wan(transformer, size="5b", time_shift=5.0),
            codec=codec,
            text_tokens=SMOKE.text.length,
            text_width=SMOKE.text.width,
            text_weights=1,
        )

    monkeypatch.setattr(wan22, "outline", outline)
    values = profile_values("smoke")
    values["backbones"]["wan22"].update(size="5b", source="nowhere/to-be-found")
    values["video"].update(height=64, width=64)
    values["stage2"].update(trainable="lora", lora_rank=4)
    params = parse_params(values, source="a small published model")
    model = make_model(params, "wan22")
    assert not any(value.is_meta for value in model.backbone.transformer.state_dict().values())
    assert model.backbone.transformer.dtype == torch.bfloat16
    with one_thread():
        figures = train_benchmark(params, FEW)
    assert figures["wan22.stage2.step"].value > 0


def test_flops_of_a_rollout_are_those_of_its_layers_and_attention() -> None:
    """2 x in x out of each linear layer and token, 4 x queries x keys x width of attention; every token has a time."""
    section = SMOKE.backbones.wan22.tiny
    model, practice = make_model(SMOKE, "wan22"), make_practice(SMOKE, "wan22", 2)
    condition = practice.data.batch(torch.arange(2)).condition
    steps = 3
    with one_thread(), FlopCounterMode(display=False) as counter:
        sample(model.backbone, torch.randn(practice.data.latents.shape), condition, steps=steps)
    width, patch = model.backbone.width, model.backbone.patch**2 * model.backbone.channels
    tokens, words = practice.data.latents[0, 0].numel() // model.backbone.patch**2, SMOKE.text.length
    of_words = words * (SMOKE.text.width * width + width**2)
    of_times = tokens * (FREQUENCIES * width + width**2 + 6 * width**2)
    attended = tokens * 4 * width**2 + tokens * 2 * width**2 + words * 2 * width**2  # self; queries and output; cross
    block = 2 * (attended + tokens * 8 * width**2) + 4 * width * tokens * (tokens + words)
    whole = 2 * (of_words + of_times + 2 * tokens * patch * width) + section.layers * block
    assert counter.get_total_flops() == 2 * steps * whole


def test_a_larger_product_is_not_slower_by_its_flops() -> None:
    assert product_speed(256, repeats=3) > 1e8
