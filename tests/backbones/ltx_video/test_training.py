"""What a stage does to a backbone it does to LTX-Video: adapters, the three stages' updates, and generation.

On a tiny twin over the laptop's latents, and on the published grid, where a latent covers eight frames and 32 pixels.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from components.backbones.adapters import POLICY, adapter_off, add_adapter, load_adapters, save_adapter
from components.backbones.base import Codec, Condition
from components.backbones.ltx_video import Grid, LtxCodec, LtxVideo, NoiseLevels, make_twin
from components.generate import generate
from components.model import Model
from components.training.diffusion import Batch, diffusion_loss
from components.training.encoded import Encoded
from components.training.new_heads import new_heads
from components.training.optimisers import muon_and_adam
from components.training.policy import Practice
from components.training.stage1 import HeadsOnPseudoLabels
from components.training.stage2 import SimulationTuning
from components.training.stage3 import Reinforcement
from tests.backbones.ltx_video.tiny import CHANNELS as PUBLISHED_CHANNELS
from tests.backbones.ltx_video.tiny import make_transformer, make_vae
from tests.backbones.shapes import twin_shape as tiny_shape
from tests.training.twins import (
    CHANNELS,
    FRAMES,
    INTRINSICS,
    SIZE,
    SMOKE,
    STAGE1,
    STAGE2,
    STAGE3,
    TEXT_LENGTH,
    TEXT_WIDTH,
    World,
    assert_moved,
    copies,
    make_codec,
    make_text,
    make_world,
    pseudo_labels,
    twin_shape,
)

HEADS = SMOKE.heads.model_copy(update={"width": 12, "taps": 2})


def make_ltx() -> LtxVideo:
    backbone = make_twin(twin_shape(), seed=0)
    backbone.transformer.eval().requires_grad_(False)
    return backbone


def of_published_grid() -> tuple[LtxVideo, Codec]:
    grid, levels = Grid(chunk=8, stride=32, fps=8.0), NoiseLevels(shift=2.0, last=0.1)
    return LtxVideo(make_transformer(), size="2b", grid=grid, levels=levels), LtxCodec(make_vae())


@pytest.fixture(params=["twin", "published"])
def model(request: pytest.FixtureRequest) -> Model:
    backbone, codec = of_published_grid() if request.param == "published" else (make_ltx(), make_codec())
    bare = Model(backbone=backbone, codec=codec, text=make_text(), base="")
    heads = new_heads(bare, HEADS, seed=0).eval().requires_grad_(False)
    assert heads.shape.slots == (8 if request.param == "published" else 4)
    return Model(backbone=backbone, codec=codec, text=make_text(), base="", heads=heads)


def encode(model: Model, world: World) -> Encoded:
    embedded = model.text.encode(["A square moves before a wall.", ""])
    count = len(world.rgb)
    return Encoded(latents=model.codec.encode(world.rgb), text=embedded[:1].repeat(count, 1, 1), empty=embedded[1])


def test_heads_learn_from_pseudo_labels(model: Model) -> None:
    world = make_world(8)
    data, labels = encode(model, world), pseudo_labels(world)
    learner = HeadsOnPseudoLabels(model.backbone, model.with_heads, data, labels, STAGE1, seed=0)
    before = copies(dict(model.with_heads.named_parameters()))
    assert_moved(before, model.with_heads, learner.update(0))


@pytest.mark.parametrize("trainable", ["blocks", "lora"])
def test_the_transformer_learns_from_simulation(model: Model, trainable: str) -> None:
    world = make_world(8)
    section = STAGE2.model_copy(update={"trainable": trainable, "diffusion_steps": 0})
    learner = SimulationTuning(model, encode(model, world), world.truth, section, seed=0)
    before = copies(dict(model.backbone.transformer.named_parameters()))
    assert_moved(before, model.backbone.transformer, learner.update(0))


@pytest.mark.parametrize("algorithm", ["grpo", "nft"])
def test_a_policy_learns_from_rewards(model: Model, algorithm: str) -> None:
    world = make_world(8)
    practice = Practice(data=encode(model, world), truth=world.truth, intrinsics=INTRINSICS.repeat(8, 1, 1))
    section = STAGE3.model_copy(update={"algorithm": algorithm})
    learner = Reinforcement(model, practice, section, noise_level=0.05, seed=0)
    before = copies(dict(model.backbone.transformer.named_parameters()))
    assert_moved(before, model.backbone.transformer, learner.update(0))


def test_a_picture_and_words_become_4d(model: Model) -> None:
    images = make_world(2).rgb[:, 0]
    generated = generate(
        model, images=images, captions=["a", "b"], frames=FRAMES, seeds=[1, 2], steps=3, noise_level=0.05
    )
    assert generated.rgb.shape == (2, FRAMES, SIZE, SIZE, 3)
    assert generated.depth is not None
    assert generated.flow is not None
    assert generated.depth.shape == (2, FRAMES, SIZE, SIZE)
    assert generated.flow.shape == (2, FRAMES - 1, SIZE, SIZE, 2)
    assert np.isfinite(generated.depth).all()


def output(ltx: LtxVideo) -> Tensor:
    rng = torch.Generator().manual_seed(1)
    noisy = torch.randn(2, CHANNELS, 3, 4, 4, generator=rng)
    text = torch.randn(2, TEXT_LENGTH, TEXT_WIDTH, generator=rng)
    return ltx.predict(noisy, torch.tensor([0.4, 1.0]), Condition(first=noisy[:, :, :1] / 2, text=text)).output


@pytest.mark.usefixtures("exact")
def test_an_adapter_changes_the_output_and_is_switched_off_stored_and_loaded(tmp_path: Path) -> None:
    ltx = make_ltx()
    before = output(ltx)
    parameters = add_adapter(ltx, POLICY, rank=4, seed=1)
    rng = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for value in parameters:
            value.add_(0.3 * torch.randn(value.shape, generator=rng))
    attentions = 2  # over the video, and over the text
    assert len(parameters) == 2 * (4 * attentions + 2) * len(ltx.blocks())
    adapted = output(ltx)
    assert (adapted - before).abs().mean() > 1e-2
    with adapter_off(ltx, POLICY):
        assert torch.equal(output(ltx), before)
    save_adapter(ltx, POLICY, tmp_path, rank=4)
    other = make_ltx()
    load_adapters(other, tmp_path)
    assert torch.equal(output(other), adapted)


def test_a_new_twin_learns_to_read_the_first_frame() -> None:
    """All frames are the first one, N(0, 1): who does not read it errs by 1 / ((1 - t)^2 + t^2) at least, above 1."""
    backbone = make_twin(tiny_shape(layers=1, channels=CHANNELS), seed=0)
    backbone.transformer.requires_grad_(True)
    optimisers = muon_and_adam(backbone.transformer, learning_rate=3e-3, muon_learning_rate=0.02)
    generator = torch.Generator().manual_seed(0)
    text = torch.ones(8, 1, TEXT_WIDTH)

    def step() -> float:
        clean = torch.randn(8, CHANNELS, 1, 2, 2, generator=generator).expand(8, CHANNELS, 3, 2, 2)
        batch = Batch(clean=clean, condition=Condition(first=clean[:, :, :1], text=text))
        loss, _, _ = diffusion_loss(backbone, batch, backbone.sample_times(8, generator), generator)
        loss.backward()
        optimisers.step(1.0)
        return loss.item()

    losses = [step() for _ in range(120)]
    assert sum(losses[-40:]) / 40 < 0.7


def test_channels_of_both_are_the_codecs(model: Model) -> None:
    assert model.codec.channels == model.backbone.channels in (CHANNELS, PUBLISHED_CHANNELS)
