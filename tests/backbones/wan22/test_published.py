"""The published pipeline behind the protocol gives what diffusers' own pipeline gives."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from components.backbones.base import Condition, Frames
from components.backbones.hub import PublishedFiles
from components.backbones.pretrained import no_progress_bars
from components.backbones.wan22.published import describe, load
from components.training.diffusion import sample
from tests.backbones.shapes import VIDEO
from tests.backbones.tiny_pipeline import CHANNELS, SHIFT

CAPTION = "a red ball falls"
HEIGHT, WIDTH, FRAMES = 32, 64, 9  # a latent row of one token is too narrow for oneDNN's bfloat16 convolution
STEPS = 3
STATISTICS = ("latents_mean", "latents_std")


def facts(folder: Path) -> Mapping[str, PublishedFiles]:
    return describe(str(folder), None)


def image() -> Frames:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def theirs(folder: Path, *, dtype: torch.dtype = torch.float32) -> Any:  # noqa: ANN401 -- a class without types
    """diffusers' image-to-video pipeline, its autoencoder in float32 as published."""
    from diffusers import AutoencoderKLWan, WanImageToVideoPipeline

    with no_progress_bars():
        vae = AutoencoderKLWan.from_pretrained(folder, subfolder="vae", dtype=torch.float32)
        pipeline = WanImageToVideoPipeline.from_pretrained(folder, vae=vae, dtype=dtype, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def prompt_embeddings(folder: Path, captions: Sequence[str], *, dtype: torch.dtype) -> Tensor:
    """Those of the text-to-video pipeline, which also runs without ftfy."""
    from diffusers import WanPipeline

    with no_progress_bars():
        pipeline = WanPipeline.from_pretrained(folder, dtype=dtype, local_files_only=True)
        embedded: Tensor = pipeline.encode_prompt(
            list(captions), do_classifier_free_guidance=False, max_sequence_length=512
        )[0]
    return embedded


def run_theirs(
    pipeline: Any,  # noqa: ANN401
    text: Tensor,
    noise: Tensor,
) -> tuple[Tensor, list[tuple[dict[str, Tensor], Tensor]]]:
    """Latents of their sampler, and what went into and out of the transformer at each step."""
    calls: list[tuple[dict[str, Tensor], Tensor]] = []
    hook = pipeline.transformer.register_forward_hook(
        lambda _module, _inputs, named, outputs: calls.append((named, outputs[0])), with_kwargs=True
    )
    latents = pipeline(
        image=Image.fromarray(image()),
        prompt_embeds=text,
        height=HEIGHT,
        width=WIDTH,
        num_frames=FRAMES,
        num_inference_steps=STEPS,
        guidance_scale=1.0,
        latents=noise,
        output_type="latent",
    ).frames
    hook.remove()
    return latents, calls


def noise() -> Tensor:
    return torch.randn(1, CHANNELS, 3, HEIGHT // 16, WIDTH // 16, generator=torch.Generator().manual_seed(3))


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
def test_a_forward_pass_is_the_pipelines(pipeline_folder: Path, dtype: torch.dtype, tolerance: float) -> None:
    backbone, codec, text = load(facts(pipeline_folder), VIDEO, dtype=dtype)
    condition = Condition(first=codec.encode(image()[None, None]), text=text.encode([CAPTION]))
    pipeline = theirs(pipeline_folder, dtype=dtype)
    _, calls = run_theirs(pipeline, text.encode([CAPTION]).to(dtype), noise())
    assert len(calls) == STEPS
    for named, expected in calls:
        time = named["timestep"].max() / 1000
        found = backbone.predict(named["hidden_states"].float(), time[None], condition).output
        torch.testing.assert_close(found, expected.float(), rtol=tolerance, atol=tolerance)


@pytest.mark.usefixtures("exact")
def test_the_sampler_is_eulers_on_the_published_path(pipeline_folder: Path) -> None:
    """Their pipeline with their Euler scheduler on our times ends at our latents."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    backbone, codec, text = load(facts(pipeline_folder), VIDEO, dtype=torch.float32)
    times = backbone.schedule(STEPS)[:-1].tolist()

    class OnOurTimes(FlowMatchEulerDiscreteScheduler):  # type: ignore[misc]
        def set_timesteps(self, *_: object, device: object = None, **__: object) -> None:
            super().set_timesteps(sigmas=times, device=device)

    pipeline = theirs(pipeline_folder)
    pipeline.scheduler = OnOurTimes(shift=1.0)
    embedded = text.encode([CAPTION])
    expected, _ = run_theirs(pipeline, embedded, noise())
    condition = Condition(first=codec.encode(image()[None, None]), text=embedded)
    found = sample(backbone, noise(), condition, steps=STEPS)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_the_times_are_those_of_the_published_scheduler(pipeline_folder: Path) -> None:
    from diffusers import UniPCMultistepScheduler

    backbone, _, _ = load(facts(pipeline_folder), VIDEO)
    assert backbone.time_shift == SHIFT
    scheduler = UniPCMultistepScheduler.from_pretrained(pipeline_folder / "scheduler")
    scheduler.set_timesteps(10)
    torch.testing.assert_close(backbone.schedule(10), scheduler.sigmas, atol=3e-3, rtol=0)
    assert all(later < earlier for earlier, later in pairwise(backbone.schedule(10).tolist()))


def test_latents_of_a_frame_are_the_pipelines_condition(pipeline_folder: Path) -> None:
    _, codec, _ = load(facts(pipeline_folder), VIDEO)
    pipeline = theirs(pipeline_folder)
    pixels = pipeline.video_processor.preprocess(Image.fromarray(image()), height=HEIGHT, width=WIDTH)
    _, condition, _ = pipeline.prepare_latents(pixels, 1, CHANNELS, HEIGHT, WIDTH, FRAMES, torch.float32, "cpu")
    assert torch.equal(codec.encode(image()[None, None]), condition)


def test_decoded_frames_are_the_pipelines(pipeline_folder: Path) -> None:
    _, codec, text = load(facts(pipeline_folder), VIDEO)
    pipeline = theirs(pipeline_folder)
    latents, _ = run_theirs(pipeline, text.encode([CAPTION]), noise())
    mean, deviation = (torch.tensor(pipeline.vae.config[name]).view(1, -1, 1, 1, 1) for name in STATISTICS)
    with torch.no_grad():
        video = pipeline.vae.decode(latents * deviation + mean).sample
    expected = pipeline.video_processor.postprocess_video(video, output_type="np")
    found = codec.decode(latents)
    np.testing.assert_allclose(found, expected * 255, atol=0.51)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_text_embeddings_are_the_pipelines(pipeline_folder: Path, dtype: torch.dtype) -> None:
    captions = [CAPTION, "", "  the  blue &amp;lt; box\n slides ", "ramp " * 600]
    _, _, text = load(facts(pipeline_folder), VIDEO, dtype=dtype)
    expected = prompt_embeddings(pipeline_folder, captions, dtype=dtype)
    differing = torch.linalg.vector_norm(text.encode(captions) - expected.float())
    assert differing <= (1e-2 if dtype.itemsize == 2 else 1e-5) * torch.linalg.vector_norm(expected.float())


def test_loading_leaves_the_global_source_of_random_numbers_alone(pipeline_folder: Path) -> None:
    state = torch.get_rng_state()
    _, _, text = load(facts(pipeline_folder), VIDEO)
    text.encode([CAPTION])
    assert torch.equal(torch.get_rng_state(), state)


def test_nothing_is_written_to_standard_error(pipeline_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _, _, text = load(facts(pipeline_folder), VIDEO)
    text.encode([CAPTION])
    assert capfd.readouterr().err == ""
