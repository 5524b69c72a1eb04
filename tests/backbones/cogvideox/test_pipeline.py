"""CogVideoX behind the protocol gives what diffusers' own image-to-video pipeline gives.

The pipeline draws the first frame's latents from the autoencoder's posterior; here it takes the mode, as ours does.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from components.backbones.base import Condition, Frames
from components.backbones.cogvideox.backbone import CogVideoX
from components.backbones.cogvideox.path import noise_levels
from components.training.diffusion import sample
from components.training.transitions import eta_ddim
from tests.backbones.cogvideox.tiny import (
    CHANNELS,
    FRAMES,
    HEIGHT,
    SCALE,
    SCHEDULE,
    TEXT_TOKENS,
    TEXT_WIDTH,
    WIDTH,
    Part,
    make_pipeline,
    make_scheduler,
    make_transformer,
    make_vae,
)

Call = tuple[dict[str, Any], Tensor]  # what went into the transformer, by name, and what came out

CASES = {
    "as published": {},
    "an offset is embedded": {"ofs_embed_dim": 16},
    "rotary positions of the native size": {"use_learned_positional_embeddings": False},
    "rotary positions of a wider size": {"use_learned_positional_embeddings": False, "sample_height": 8},
    "rotary positions of a higher size": {"use_learned_positional_embeddings": False, "sample_width": 14},
    "sines": {"use_learned_positional_embeddings": False, "use_rotary_positional_embeddings": False},
}


@pytest.fixture(autouse=True)
def mode_of_the_posterior(monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    monkeypatch.setattr(DiagonalGaussianDistribution, "sample", lambda self, generator=None: self.mode())


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def noise() -> Tensor:
    return drawn(1, CHANNELS, 3, HEIGHT // 8, WIDTH // 8, seed=3)


def text() -> Tensor:
    return drawn(1, TEXT_TOKENS, TEXT_WIDTH, seed=4)


def image() -> Frames:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def make_backbone(transformer: Part, *, snr_shift: float = 1.0, first_scale: float = 1.0) -> CogVideoX:
    levels = noise_levels(beta_start=SCHEDULE["beta_start"], beta_end=SCHEDULE["beta_end"], snr_shift=snr_shift)
    return CogVideoX(transformer, size="tiny", levels=levels, first_scale=first_scale)


def first_frame(vae: Part) -> Tensor:
    """The image's latents times the autoencoder's scale: what the codec gives."""
    pixels = torch.from_numpy(image()).movedim(-1, 0)[None, :, None].float() / 127.5 - 1
    with torch.no_grad():
        latents: Tensor = vae.encode(pixels).latent_dist.mode()
    return latents * SCALE


def run_theirs(pipeline: Part, *, steps: int) -> tuple[Tensor, list[Call]]:
    """Latents (1,C,F,h,w) of their sampler without guidance, and what each step told the transformer."""
    calls: list[Call] = []
    hook = pipeline.transformer.register_forward_hook(
        lambda _module, _inputs, named, outputs: calls.append((named, outputs[0])), with_kwargs=True
    )
    latents = pipeline(
        image=Image.fromarray(image()),
        prompt_embeds=text(),
        height=HEIGHT,
        width=WIDTH,
        num_frames=FRAMES,
        num_inference_steps=steps,
        guidance_scale=1.0,
        latents=noise().movedim(1, 2),
        output_type="latent",
    ).frames
    hook.remove()
    return latents.movedim(1, 2), calls


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_a_forward_pass_is_the_pipelines(changes: dict[str, Any]) -> None:
    vae, transformer = make_vae(), make_transformer(**changes)
    backbone = make_backbone(transformer)
    _, calls = run_theirs(make_pipeline(transformer=transformer, vae=vae), steps=4)
    assert len(calls) == 4
    for named, expected in calls:
        noisy = named["hidden_states"][:, :, :CHANNELS].movedim(1, 2)
        times = (named["timestep"] + 1) / 1000
        found = backbone.predict(noisy, times, Condition(first=first_frame(vae), text=text())).output
        torch.testing.assert_close(found, expected.movedim(1, 2), atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("snr_shift", [1.0, 3.0])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("steps", [4, 20])
def test_a_whole_sampler_run_is_the_pipelines(steps: int, inverted: bool, snr_shift: float) -> None:
    vae, transformer = make_vae(invert_scale_latents=inverted), make_transformer()
    scheduler = make_scheduler(snr_shift_scale=snr_shift)
    expected, _ = run_theirs(make_pipeline(transformer=transformer, vae=vae, scheduler=scheduler), steps=steps)
    backbone = make_backbone(transformer, snr_shift=snr_shift, first_scale=SCALE**-2 if inverted else 1.0)
    condition = Condition(first=first_frame(vae), text=text())
    found = sample(backbone, noise(), condition, steps=steps)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("exact")
def test_eta_ddim_without_noise_is_the_pipelines_sampler() -> None:
    vae, transformer = make_vae(), make_transformer()
    expected, _ = run_theirs(make_pipeline(transformer=transformer, vae=vae), steps=5)
    backbone = make_backbone(transformer)
    condition = Condition(first=first_frame(vae), text=text())
    noisy, times = noise(), backbone.schedule(5)
    for now, after in pairwise(times):
        output = backbone.predict(noisy, now[None], condition).output
        gaussian = eta_ddim(backbone, noisy, output, now[None], after[None], noise=0.0)
        assert gaussian.deviation.eq(0).all()
        noisy = gaussian.mean
    torch.testing.assert_close(noisy, expected, atol=1e-5, rtol=1e-5)
