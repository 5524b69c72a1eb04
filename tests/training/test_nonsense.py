"""Planted nonsense makes it worse: wrong labels on clips that nobody has seen, a wrong reward on what is generated."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from components.backbones.base import Condition
from components.generate import read_4d
from components.heads import Read4D
from components.model import Model
from components.training import policy
from components.training.diffusion import sample
from components.training.losses import Truth, confident_flow, scale_shift_invariant, truth_losses
from components.training.policy import Practice
from components.training.rewards import Scene, advantages, rays_of, reward_terms
from components.training.stage1 import HeadsOnPseudoLabels, PseudoLabels
from components.training.stage2 import SimulationTuning
from components.training.stage3 import Reinforcement
from components.training.stand_in import StandIn
from components.training.trainer import train
from tests.training.twins import (
    FRAMES,
    INTRINSICS,
    PREPARE,
    SIZE,
    STAGE1,
    STAGE2,
    STAGE3,
    encode,
    make_model,
    make_world,
    pseudo_labels,
    surroundings,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_float32")]
SEEN, UNSEEN = make_world(64), make_world(32, seed=9)
SHUFFLED = torch.arange(64).roll(1)  # every clip has the labels of another


def reading(model: Model) -> Read4D:
    """What the heads say of clips that nobody has seen."""
    data = encode(UNSEEN)
    condition = Condition(first=data.latents[:, :, :1], text=data.text)
    return read_4d(model, data.latents, condition, frames=FRAMES, noise_level=0.05)


def losses_after_stage1(labels: PseudoLabels, folder: Path) -> dict[str, float]:
    model = make_model()
    section = STAGE1.model_copy(update={"steps": 40, "batch_size": 8, "learning_rate": 5e-3})
    train(
        HeadsOnPseudoLabels(model.backbone, model.with_heads, encode(SEEN), labels, section, seed=1),
        surroundings(folder),
    )
    read, right = reading(model), pseudo_labels(UNSEEN)
    return {
        "depth": scale_shift_invariant((-read.log_depth).exp(), right.depth).item(),
        "flow": confident_flow(read.flow, right.flow, right.confidence).item(),
    }


def losses_after_stage2(truth: Truth, folder: Path) -> dict[str, float]:
    model = make_model()
    changes = {
        "steps": 60,
        "diffusion_steps": 0,
        "batch_size": 8,
        "heads_batch_size": 8,
        "heads_learning_rate": 5e-3,
    }
    train(SimulationTuning(model, encode(SEEN), truth, STAGE2.model_copy(update=changes), seed=1), surroundings(folder))
    losses = truth_losses(reading(model), UNSEEN.truth, torch.ones(32))
    return {name: loss.item() for name, loss in losses.items()}


def test_shuffled_pseudo_labels_make_worse_heads(tmp_path: Path) -> None:
    labels = pseudo_labels(SEEN)
    shuffled = replace(
        labels, depth=labels.depth[SHUFFLED], flow=labels.flow[SHUFFLED], confidence=labels.confidence[SHUFFLED]
    )
    right, wrong = losses_after_stage1(labels, tmp_path / "a"), losses_after_stage1(shuffled, tmp_path / "b")
    assert wrong["depth"] > 1.1 * right["depth"]
    assert wrong["flow"] > 1.5 * right["flow"]


def test_shuffled_simulation_labels_make_worse_heads(tmp_path: Path) -> None:
    right = losses_after_stage2(SEEN.truth, tmp_path / "a")
    wrong = losses_after_stage2(SEEN.truth[SHUFFLED], tmp_path / "b")
    assert wrong["depth"] > 1.15 * right["depth"]
    assert wrong["foreground"] > 1.3 * right["foreground"]


def trained(folder: Path) -> Model:
    """A base that knows how squares move, and heads that see them: as far as half a minute goes."""
    model, data = make_model(), encode(SEEN)
    base = PREPARE.model_copy(update={"steps": 200, "batch_size": 16})
    train(StandIn(model.backbone, data, base, seed=1), surroundings(folder / "base"))
    model.backbone.transformer.eval()
    changes = {
        "blocks": 2,
        "steps": 150,
        "diffusion_steps": 0,
        "batch_size": 16,
        "heads_batch_size": 8,
        "heads_learning_rate": 5e-3,
    }
    tuning = SimulationTuning(model, data, SEEN.truth, STAGE2.model_copy(update=changes), seed=1)
    train(tuning, surroundings(folder / "stage2"))
    model.backbone.transformer.requires_grad_(False)
    model.with_heads.eval().requires_grad_(False)
    return model


def chamfer_of(model: Model) -> float:
    """Mean reward of one video of each of 32 clips, from the same noise whatever the model."""
    generator, data = torch.Generator().manual_seed(77), encode(SEEN)
    batch = data.batch(torch.arange(32))
    noise = torch.randn(batch.clean.shape, generator=generator)
    latents = sample(model.backbone, noise, batch.condition, steps=4)
    read = read_4d(model, latents, batch.condition, frames=FRAMES, noise_level=0.05)
    scene = Scene(truth=SEEN.truth[torch.arange(32)], rays=rays_of(INTRINSICS, SIZE, SIZE))
    return reward_terms(read, scene, generator)["chamfer"].mean().item()


def test_a_reward_of_the_wrong_sign_makes_worse_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the anchor, so that nothing but the reward moves the policy."""
    changes = {
        "iterations": 24,
        "prompts": 8,
        "group_size": 8,
        "sampler_steps": 4,
        "updates": 2,
        "times": 3,
        "learning_rate": 1e-2,
        "lora_rank": 8,
        "kl": 0.0,
        "anchor": 0.0,
    }
    section, start = STAGE3.model_copy(update=changes), trained(tmp_path)
    practice = Practice(data=encode(SEEN), truth=SEEN.truth, intrinsics=INTRINSICS.repeat(len(SEEN.rgb), 1, 1))
    rewards = {}
    for sign in (1, -1):
        monkeypatch.setattr(policy, "advantages", lambda *args, sign=sign, **kind: sign * advantages(*args, **kind))
        model = deepcopy(start)
        learner = Reinforcement(model, practice, section, noise_level=0.05, seed=3)
        rewards[0] = chamfer_of(model)
        train(learner, surroundings(tmp_path / str(sign)))
        rewards[sign] = chamfer_of(model)
    assert rewards[-1] < rewards[1] - 0.02
    assert rewards[-1] < rewards[0] - 0.02
