"""What a stage does to a backbone it does to Open-Sora: the three stages' updates, generation, and learning itself."""

from functools import cache

import numpy as np
import pytest
import torch

from components.backbones.base import Condition
from components.backbones.family import VideoShape
from components.backbones.open_sora.backbone import OpenSora, make_twin
from components.backbones.open_sora.codec import OpenSoraCodec
from components.backbones.open_sora.schedule import Video
from components.generate import generate
from components.heads import Heads, HeadsShape
from components.model import Model
from components.training.diffusion import Batch, diffusion_loss
from components.training.encoded import Encoded
from components.training.losses import Truth
from components.training.optimisers import muon_and_adam
from components.training.policy import Practice
from components.training.stage1 import HeadsOnPseudoLabels, PseudoLabels
from components.training.stage2 import SimulationTuning
from components.training.stage3 import Reinforcement
from tests.backbones.open_sora.oracle import drawn
from tests.backbones.open_sora.tiny_vae import tiny_vae
from tests.backbones.shapes import twin_shape
from tests.training.twins import INTRINSICS, STAGE1, STAGE2, STAGE3, TEXT_WIDTH, assert_moved, copies, make_text

VIDEO = Video(height=32, width=32, frames=17, fps=8.0)
CLIPS = 8
LATENTS = (CLIPS, 4, *VIDEO.latent_shape)


def make_backbone() -> OpenSora:
    shape = VideoShape(frames=VIDEO.frames, height=VIDEO.height, width=VIDEO.width, fps=VIDEO.fps)
    backbone = make_twin(
        twin_shape(channels=4, text_width=TEXT_WIDTH, time_shift=VIDEO.time_shift, video=shape), seed=0
    )
    backbone.transformer.eval().requires_grad_(False)
    return backbone


def make_model() -> Model:
    shape = HeadsShape(taps=2, tap_width=32, channels=4, patch=2, stride=8, width=12)
    with torch.random.fork_rng(devices=[]):
        heads = Heads(shape).eval().requires_grad_(False)
    return Model(backbone=make_backbone(), codec=OpenSoraCodec(tiny_vae()), text=make_text(), base="", heads=heads)


@cache
def make_truth() -> Truth:
    """Depths, masks and motion of no world in particular."""
    shape = (CLIPS, VIDEO.frames, VIDEO.height, VIDEO.width)
    motion = (CLIPS, VIDEO.frames - 1, VIDEO.height, VIDEO.width)
    foreground = drawn("foreground", *shape) > 1
    return Truth(
        log_depth=1.5 + 0.1 * drawn("depth", *shape),
        valid=torch.ones(shape, dtype=torch.bool),
        foreground=foreground,
        flow=drawn("flow", CLIPS, VIDEO.frames - 1, 2, VIDEO.height, VIDEO.width),
        depth_change=0.1 * drawn("change", *motion),
        visible=foreground[:, :-1],
    )


@cache
def make_encoded() -> Encoded:
    embedded = make_text().encode(["A square moves before a wall.", ""])
    return Encoded(latents=drawn("latents", *LATENTS), text=embedded[:1].repeat(CLIPS, 1, 1), empty=embedded[1])


def test_heads_learn_from_pseudo_labels() -> None:
    model, truth = make_model(), make_truth()
    labels = PseudoLabels(
        depth=2 * (-truth.log_depth).exp() + 3,
        depth_kind="affine_disparity",
        flow=truth.flow,
        confidence=torch.ones_like(truth.depth_change),
    )
    learner = HeadsOnPseudoLabels(model.backbone, model.with_heads, make_encoded(), labels, STAGE1, seed=0)
    before = copies(dict(model.with_heads.named_parameters()))
    assert_moved(before, model.with_heads, learner.update(0))


@pytest.mark.parametrize("trainable", ["blocks", "lora"])
def test_the_transformer_learns_from_simulation(trainable: str) -> None:
    model = make_model()
    section = STAGE2.model_copy(update={"trainable": trainable, "diffusion_steps": 0})
    learner = SimulationTuning(model, make_encoded(), make_truth(), section, seed=0)
    before = copies(dict(model.backbone.transformer.named_parameters()))
    assert_moved(before, model.backbone.transformer, learner.update(0))


@pytest.mark.parametrize("algorithm", ["grpo", "nft"])
def test_a_policy_learns_from_rewards(algorithm: str) -> None:
    model = make_model()
    practice = Practice(data=make_encoded(), truth=make_truth(), intrinsics=INTRINSICS.repeat(CLIPS, 1, 1))
    section = STAGE3.model_copy(update={"algorithm": algorithm})
    learner = Reinforcement(model, practice, section, noise_level=0.05, seed=0)
    before = copies(dict(model.backbone.transformer.named_parameters()))
    assert_moved(before, model.backbone.transformer, learner.update(0))


def test_a_picture_and_words_become_4d() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, VIDEO.height, VIDEO.width, 3), dtype=np.uint8)
    generated = generate(
        make_model(), images=images, captions=["a", ""], frames=VIDEO.frames, seeds=[1, 2], steps=2, noise_level=0.05
    )
    assert generated.rgb.shape == (2, VIDEO.frames, VIDEO.height, VIDEO.width, 3)
    assert generated.depth is not None
    assert generated.flow is not None
    assert generated.depth.shape == (2, VIDEO.frames, VIDEO.height, VIDEO.width)
    assert generated.flow.shape == (2, VIDEO.frames - 1, VIDEO.height, VIDEO.width, 2)
    assert np.isfinite(generated.depth).all()


@pytest.mark.slow
def test_a_new_twin_learns_to_read_the_first_frame() -> None:
    """All frames are the first one, N(0, 1): who does not read it errs by 1 / ((1 - t)^2 + t^2) at least, above 1."""
    backbone = make_backbone()
    backbone.transformer.requires_grad_(True)
    optimisers = muon_and_adam(backbone.transformer, learning_rate=3e-3, muon_learning_rate=0.02)
    generator = torch.Generator().manual_seed(0)
    text = torch.ones(CLIPS, 1, TEXT_WIDTH)

    def step() -> float:
        clean = torch.randn(CLIPS, 4, 1, 4, 4, generator=generator).expand(LATENTS)
        batch = Batch(clean=clean, condition=Condition(first=clean[:, :, :1], text=text))
        loss, _, _ = diffusion_loss(backbone, batch, backbone.sample_times(CLIPS, generator), generator)
        loss.backward()
        optimisers.step(1.0)
        return loss.item()

    losses = [step() for _ in range(400)]
    assert sum(losses[-50:]) / 50 < 0.85
