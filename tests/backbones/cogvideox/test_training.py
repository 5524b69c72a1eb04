"""What a stage does to a backbone it does to CogVideoX: adapters, the three stages' updates, and generation."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from components.backbones.adapters import POLICY, adapter_off, add_adapter, load_adapters, save_adapter
from components.backbones.base import Condition
from components.backbones.cogvideox.backbone import CogVideoX, make_twin
from components.generate import generate
from components.model import Model
from components.training.stage1 import HeadsOnPseudoLabels
from components.training.stage2 import SimulationTuning
from components.training.stage3 import Reinforcement
from tests.training.twins import (
    CHANNELS,
    FRAMES,
    SIZE,
    STAGE1,
    STAGE2,
    STAGE3,
    TEXT_LENGTH,
    TEXT_WIDTH,
    assert_moved,
    copies,
    encode,
    make_codec,
    make_heads,
    make_practice,
    make_text,
    make_world,
    pseudo_labels,
    twin_shape,
)

GRID = SIZE // 8  # latent pixels


def make_cog() -> CogVideoX:
    backbone = make_twin(twin_shape(), seed=0)
    backbone.transformer.eval().requires_grad_(False)
    return backbone


def make_model() -> Model:
    return Model(backbone=make_cog(), codec=make_codec(), text=make_text(), base="", heads=make_heads())


def output(cog: CogVideoX) -> Tensor:
    rng = torch.Generator().manual_seed(1)
    noisy = torch.randn(2, CHANNELS, 3, GRID, GRID, generator=rng)
    text = torch.randn(2, TEXT_LENGTH, TEXT_WIDTH, generator=rng)
    return cog.predict(noisy, torch.tensor([0.4, 1.0]), Condition(first=noisy[:, :, :1] / 2, text=text)).output


def stirred(cog: CogVideoX, name: str) -> list[torch.nn.Parameter]:
    """An adapter with an effect."""
    parameters = add_adapter(cog, name, rank=4, seed=1)
    rng = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for value in parameters:
            value.add_(0.3 * torch.randn(value.shape, generator=rng))
    return parameters


@pytest.mark.usefixtures("exact")
def test_an_adapter_changes_the_output_and_is_switched_off_stored_and_loaded(tmp_path: Path) -> None:
    cog = make_cog()
    before = output(cog)
    parameters = stirred(cog, POLICY)
    assert len(parameters) == 2 * len(cog.adapter_targets) * len(cog.blocks())
    adapted = output(cog)
    assert (adapted - before).abs().mean() > 1e-2
    with adapter_off(cog, POLICY):
        assert torch.equal(output(cog), before)
    save_adapter(cog, POLICY, tmp_path, rank=4)
    other = make_cog()
    load_adapters(other, tmp_path)
    assert torch.equal(output(other), adapted)


def test_heads_learn_from_pseudo_labels() -> None:
    model, world = make_model(), make_world(8)
    learner = HeadsOnPseudoLabels(model.backbone, model.with_heads, encode(world), pseudo_labels(world), STAGE1, seed=0)
    before = copies(dict(model.with_heads.named_parameters()))
    assert_moved(before, model.with_heads, learner.update(0))


@pytest.mark.parametrize("trainable", ["blocks", "lora"])
def test_the_transformer_learns_from_simulation(trainable: str) -> None:
    model, world = make_model(), make_world(8)
    section = STAGE2.model_copy(update={"trainable": trainable, "diffusion_steps": 0})
    learner = SimulationTuning(model, encode(world), world.truth, section, seed=0)
    before = copies(dict(model.backbone.transformer.named_parameters()))
    assert_moved(before, model.backbone.transformer, learner.update(0))


@pytest.mark.parametrize("algorithm", ["grpo", "nft"])
def test_a_policy_learns_from_rewards(algorithm: str) -> None:
    """From pure noise, where nothing of the signal is left, to the end."""
    model = make_model()
    section = STAGE3.model_copy(update={"algorithm": algorithm})
    learner = Reinforcement(model, make_practice(), section, noise_level=0.05, seed=0)
    before = copies(dict(model.backbone.transformer.named_parameters()))
    assert_moved(before, model.backbone.transformer, learner.update(0))


def test_a_picture_and_words_become_4d() -> None:
    images = make_world(2).rgb[:, 0]
    generated = generate(
        make_model(), images=images, captions=["a", "b"], frames=FRAMES, seeds=[1, 2], steps=3, noise_level=0.05
    )
    assert generated.rgb.shape == (2, FRAMES, SIZE, SIZE, 3)
    assert generated.depth is not None
    assert generated.flow is not None
    assert generated.depth.shape == (2, FRAMES, SIZE, SIZE)
    assert generated.flow.shape == (2, FRAMES - 1, SIZE, SIZE, 2)
    assert np.isfinite(generated.depth).all()
