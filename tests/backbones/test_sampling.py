"""The noise-free sampler on fields that are known exactly, and whole generations of the tiny twin."""

import numpy as np
import pytest
import torch
from torch import Tensor

from components.backbones.base import Condition, Frames, Prediction, per_sample
from components.backbones.laptop_latents import LaptopLatents
from components.backbones.wan22.backbone import Wan
from components.generate import generate
from components.model import Model
from components.training.diffusion import in_parts, sample
from tests.backbones.conftest import TEXT_WIDTH
from tests.backbones.videos import psnr

SHAPE = (3, 8, 3, 4, 4)


class Words:
    """Text embeddings that depend on the caption's length alone."""

    def encode(self, captions: list[str]) -> Tensor:
        return torch.stack([torch.full((4, TEXT_WIDTH), len(caption) / 4) for caption in captions])


@pytest.fixture
def model(wan: Wan, codec: LaptopLatents) -> Model:
    return Model(backbone=wan, codec=codec, text=Words(), base="")  # type: ignore[arg-type]


def condition(first: Tensor) -> Condition:
    return Condition(first=first[:, :, :1], text=torch.zeros(len(first), 4, TEXT_WIDTH))


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_point_mass_is_reached_in_any_number_of_steps(
    wan: Wan, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """All data at one point x: the velocity is (noisy - x) / t, and its lines are straight."""
    point, noise = torch.randn(SHAPE, generator=generator), torch.randn(SHAPE, generator=generator)
    monkeypatch.setattr(
        wan,
        "predict",
        lambda noisy, times, _: Prediction(output=(noisy - point) / per_sample(times, noisy), taps=()),
    )
    torch.testing.assert_close(sample(wan, noise, condition(point), steps=steps), point, atol=1e-5, rtol=1e-5)


def test_gaussian_data_come_out_with_their_deviation(
    wan: Wan, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data N(0, d^2): the velocity is E[noise - data | noisy], and the exact flow multiplies the noise by d."""
    deviation, noise = 0.5, torch.randn(SHAPE, generator=generator)

    def velocity(noisy: Tensor, times: Tensor, _: Condition) -> Prediction:
        t = per_sample(times, noisy)
        slope = (t - (1 - t) * deviation**2) / ((1 - t) ** 2 * deviation**2 + t**2)
        return Prediction(output=slope * noisy, taps=())

    monkeypatch.setattr(wan, "predict", velocity)
    errors = [
        (sample(wan, noise, condition(noise), steps=steps) - deviation * noise)[:, :, 1:].abs().mean().item()
        for steps in (10, 40, 160)
    ]
    assert errors[2] < 0.01
    assert errors[0] > 2 * errors[1] > 4 * errors[2]  # first order in the step


def test_the_given_frame_comes_out_untouched(wan: Wan, generator: torch.Generator) -> None:
    first, noise = torch.randn(SHAPE, generator=generator), torch.randn(SHAPE, generator=generator)
    drawn = sample(wan, noise, condition(first), steps=2)
    assert torch.equal(drawn[:, :, :1], first[:, :, :1])
    assert torch.isfinite(drawn).all()


def test_many_samples_go_through_in_parts_and_keep_their_order(
    wan: Wan, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    noise = torch.randn(30, *SHAPE[1:], generator=generator)

    def towards_first(noisy: Tensor, times: Tensor, given: Condition) -> Prediction:
        sizes.append(len(noisy))
        return Prediction(output=(noisy - given.first) / per_sample(times, noisy), taps=())

    monkeypatch.setattr(wan, "predict", towards_first)
    found = sample(wan, noise, condition(noise), steps=1)
    torch.testing.assert_close(found, noise[:, :, :1].expand_as(found), atol=1e-5, rtol=1e-5)
    assert sizes == [24, 6]


def drawn(model: Model, images: Frames, caption: str, *, seed: int = 0) -> Frames:
    return generate(
        model, images=images, captions=[caption] * len(images), frames=9, seeds=[seed] * len(images), steps=2,
        noise_level=0.05,
    ).rgb  # fmt: skip


def test_frame_zero_of_a_generation_is_the_image(model: Model, videos: Frames) -> None:
    images = videos[:, 0]
    ceiling = psnr(model.codec.decode(model.codec.encode(images[:, None]))[:, 0], images)
    assert ceiling > 20
    assert psnr(drawn(model, images, "a ball")[:, 0], images) >= ceiling - 1


def test_another_caption_image_or_seed_is_another_video(model: Model, videos: Frames) -> None:
    images = videos[:2, 0]
    video = drawn(model, images, "a ball")
    assert np.array_equal(video, drawn(model, images, "a ball"))
    for other in (
        drawn(model, images, "a ball that falls"),
        drawn(model, images[::-1], "a ball"),
        drawn(model, images, "a ball", seed=1),
    ):
        assert (other[:, 1:] != video[:, 1:]).mean() > 0.01


@pytest.mark.parametrize(("shape", "count"), [((3, 8, 8), 24), ((5, 8, 8), 24), ((5, 16, 16), 16), ((13, 30, 52), 1)])
def test_fewer_of_larger_videos_go_through_a_network_together(shape: tuple[int, int, int], count: int) -> None:
    """24 of the laptop's 5 x 8 x 8 latent pixels and of smaller ones; of four times as many, a fourth; one at least."""
    assert in_parts(torch.empty(48, 4, *shape))[0] == slice(0, count)
