"""The published LTX-Video behind the protocol gives what diffusers' own pipeline gives."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from components.backbones.base import Condition, Frames
from components.backbones.ltx_video import LtxCodec, LtxText, LtxVideo, describe, load
from components.backbones.pretrained import no_progress_bars
from components.generate import generate
from components.model import Model
from components.training.diffusion import sample
from tests.backbones.ltx_video.tiny import (
    CHANNELS,
    LATENTS,
    TEXT_TOKENS,
    TEXT_WIDTH,
    VIDEO,
    Part,
    load_theirs,
    packed,
    unpacked,
)

CAPTION = "a red ball falls"
STEPS = 4
Ours = tuple[LtxVideo, LtxCodec, LtxText]


def load_ours(folder: Path, dtype: torch.dtype = torch.float32) -> Ours:
    return load(describe(str(folder), None), VIDEO, dtype=dtype)


def image() -> Frames:
    return np.random.default_rng(0).integers(0, 256, (VIDEO.height, VIDEO.width, 3), dtype=np.uint8)


def noise() -> Tensor:
    return torch.randn(1, *LATENTS, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def modes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first frame's latents are the posterior's mode; the pipeline draws them."""
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    monkeypatch.setattr(DiagonalGaussianDistribution, "sample", lambda self, generator=None: self.mode())


def run_theirs(pipeline: Part, *, steps: int = STEPS, **named: object) -> Tensor:
    """Latents (B,C,F,h,w) of their sampler from the noise of seed 3; it is drawn by the generator, after the image."""
    tokens = pipeline(
        image=Image.fromarray(image()),
        height=VIDEO.height,
        width=VIDEO.width,
        num_frames=VIDEO.frames,
        frame_rate=VIDEO.fps,
        num_inference_steps=steps,
        guidance_scale=1.0,
        generator=torch.Generator().manual_seed(3),
        output_type="latent",
        **(named or {"prompt": CAPTION}),
    ).frames
    return unpacked(tokens)


@pytest.mark.usefixtures("exact", "modes")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.03)])
def test_a_forward_pass_is_the_pipelines(ltx_video_folder: Path, dtype: torch.dtype, tolerance: float) -> None:
    backbone, codec, text = load_ours(ltx_video_folder, dtype)
    condition = Condition(first=codec.encode(image()[None, None]), text=text.encode([CAPTION]))
    pipeline = load_theirs(ltx_video_folder, dtype=dtype)
    if dtype != torch.float32:  # the pipeline gives its float32 autoencoder the text's precision
        pipeline.vae.to(dtype)
    calls: list[tuple[dict[str, Tensor], Tensor]] = []
    pipeline.transformer.register_forward_hook(
        lambda _module, _inputs, named, outputs: calls.append((named, outputs[0])), with_kwargs=True
    )
    run_theirs(pipeline)
    assert len(calls) == STEPS
    for named, expected in calls:
        time = named["timestep"].max() / 1000
        found = backbone.predict(unpacked(named["hidden_states"]).float(), time[None], condition).output[:, :, 1:]
        torch.testing.assert_close(found, unpacked(expected.float())[:, :, 1:], rtol=tolerance, atol=tolerance)


@pytest.mark.usefixtures("exact", "modes")
@pytest.mark.parametrize("steps", [2, 4, 20])
def test_a_whole_sampler_run_is_the_pipelines(ltx_video_folder: Path, steps: int) -> None:
    backbone, codec, text = load_ours(ltx_video_folder)
    expected = run_theirs(load_theirs(ltx_video_folder), steps=steps)
    condition = Condition(first=codec.encode(image()[None, None]), text=text.encode([CAPTION]))
    found = sample(backbone, noise(), condition, steps=steps)
    assert (expected - noise())[:, :, 1:].std() > 0.1
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("exact", "modes")
def test_from_picture_and_words_to_video_it_is_the_pipeline(ltx_video_folder: Path) -> None:
    """Latents to 1e-5, and pixels to the rounding."""
    backbone, codec, text = load_ours(ltx_video_folder)
    found = generate(
        Model(backbone=backbone, codec=codec, text=text, base=""),
        images=image()[None],
        captions=[CAPTION],
        frames=VIDEO.frames,
        seeds=[3],
        steps=STEPS,
        noise_level=0.05,
    )
    pipeline = load_theirs(ltx_video_folder)
    latents = run_theirs(pipeline)
    torch.testing.assert_close(found.latents, latents, atol=1e-5, rtol=1e-5)
    raw = pipeline._denormalize_latents(latents, pipeline.vae.latents_mean, pipeline.vae.latents_std)
    with torch.no_grad():
        video = pipeline.vae.decode(raw, None).sample
    expected = pipeline.video_processor.postprocess_video(video, output_type="np")
    assert expected.std() > 0.01
    np.testing.assert_allclose(found.rgb, expected * 255, atol=0.51)


@pytest.mark.usefixtures("modes")
def test_latents_of_a_frame_are_the_pipelines_condition(ltx_video_folder: Path) -> None:
    _, codec, _ = load_ours(ltx_video_folder)
    pipeline = load_theirs(ltx_video_folder)
    pixels = pipeline.video_processor.preprocess(Image.fromarray(image()), height=VIDEO.height, width=VIDEO.width)
    tokens, mask = pipeline.prepare_latents(
        pixels, 1, CHANNELS, VIDEO.height, VIDEO.width, VIDEO.frames, torch.float32, "cpu", None
    )
    expected = unpacked(tokens)[:, :, :1]
    torch.testing.assert_close(codec.encode(image()[None, None]), expected, atol=1e-6, rtol=1e-6)
    assert unpacked(mask[..., None]).flatten(3).mean(-1).tolist() == [[[1.0, 0.0, 0.0]]]  # what is given


def test_the_times_are_those_of_the_published_scheduler(ltx_video_folder: Path) -> None:
    """For its number of tokens: exp of the pipeline's line through two numbers of tokens, stretched to end at 0.1."""
    from diffusers.pipelines.ltx.pipeline_ltx_image2video import calculate_shift

    backbone, _, _ = load_ours(ltx_video_folder)
    scheduler = load_theirs(ltx_video_folder).scheduler
    mean = calculate_shift(18, 1024, 4096, 0.95, 2.05)
    assert backbone.levels.shift == pytest.approx(np.exp(mean))
    for steps in (2, 3, 10, 50):
        scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=mean)
        times = backbone.schedule(steps)
        torch.testing.assert_close(times, scheduler.sigmas, atol=1e-6, rtol=1e-6)
        assert (times[0].item(), times[-1].item()) == (1, 0)
        assert times[-2].item() == pytest.approx(0.1)
        assert all(later < earlier for earlier, later in pairwise(times.tolist()))
    assert backbone.schedule(1).tolist() == [1, 0]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)])
def test_text_embeddings_are_the_pipelines_with_zeros_where_its_mask_is_off(
    ltx_video_folder: Path, dtype: torch.dtype, tolerance: float
) -> None:
    captions = [CAPTION, "", "  The  blue &amp; box\n slides ", "ramp " * 160]
    _, _, text = load_ours(ltx_video_folder, dtype)
    with no_progress_bars():
        embedded, mask, _, _ = load_theirs(ltx_video_folder, dtype=dtype).encode_prompt(
            captions, do_classifier_free_guidance=False
        )
    expected = embedded.float() * mask[..., None]
    found = text.encode(captions)
    assert (found.shape, found.dtype) == ((4, TEXT_TOKENS, TEXT_WIDTH), torch.float32)
    assert torch.equal(found.ne(0).any(-1), mask)
    assert torch.linalg.vector_norm(found - expected) <= tolerance * torch.linalg.vector_norm(expected)


def test_words_depend_on_nothing_but_their_caption(ltx_video_folder: Path) -> None:
    _, _, text = load_ours(ltx_video_folder)
    together = text.encode(["the blue box", "a red ball", "the blue box"])
    assert torch.equal(together[0], together[2])
    assert torch.equal(together[1:2], text.encode(["a red ball"]))
    assert (text.unread("a red ball"), text.unread("ball " * TEXT_TOKENS)) == (0, 1)  # the end token stays


def test_loading_leaves_the_global_source_of_random_numbers_alone_and_says_nothing(
    ltx_video_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    state = torch.get_rng_state()
    _, _, text = load_ours(ltx_video_folder)
    text.encode([CAPTION])
    assert torch.equal(torch.get_rng_state(), state)
    assert capfd.readouterr().err == ""


def test_packing_is_the_pipelines() -> None:
    """Of the tests themselves: their order of tokens is diffusers'."""
    from diffusers import LTXImageToVideoPipeline

    assert torch.equal(packed(noise()), LTXImageToVideoPipeline._pack_latents(noise()))
    assert torch.equal(unpacked(packed(noise())), noise())
