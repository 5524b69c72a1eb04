"""The published CogVideoX from a folder: its weights, its words and its whole sampler are diffusers' own."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from components.backbones.base import Condition, Frames
from components.backbones.cogvideox.published import PART, describe, load
from components.backbones.hub import PublishedFiles
from components.backbones.pretrained import no_progress_bars
from components.backbones.t5 import T5
from components.errors import ParametersError, Phys4dError
from components.generate import generate
from components.model import Model
from tests.backbones.cogvideox.tiny import FRAMES, HEIGHT, LATENTS, TEXT_TOKENS, TEXT_WIDTH, WIDTH, Part
from tests.backbones.shapes import VIDEO
from tests.backbones.test_hub import COMMIT, MODEL, Hub

CAPTION = "a red ball falls"
STEPS = 4


@pytest.fixture(scope="module")
def text(cogvideox_folder: Path) -> T5:
    return T5(folder=cogvideox_folder, tokens=TEXT_TOKENS, masked=False, dtype=torch.float32)


def facts(folder: Path) -> Mapping[str, PublishedFiles]:
    return describe(str(folder), None)


def image() -> Frames:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def theirs(folder: Path, *, dtype: torch.dtype = torch.float32) -> Part:
    """diffusers' image-to-video pipeline."""
    from diffusers import CogVideoXImageToVideoPipeline

    with no_progress_bars():
        pipeline = CogVideoXImageToVideoPipeline.from_pretrained(folder, dtype=dtype, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.mark.usefixtures("exact")
def test_from_picture_and_words_to_video_it_is_the_pipeline(
    cogvideox_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Latents to 1e-5, and pixels to the rounding; the first frame's latents are the mode here, there a draw."""
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    monkeypatch.setattr(DiagonalGaussianDistribution, "sample", lambda self, generator=None: self.mode())
    backbone, codec, text = load(facts(cogvideox_folder), VIDEO, dtype=torch.float32)
    found = generate(
        Model(backbone=backbone, codec=codec, text=text, base=""),
        images=image()[None],
        captions=[CAPTION],
        frames=FRAMES,
        seeds=[3],
        steps=STEPS,
        noise_level=0.05,
    )
    pipeline = theirs(cogvideox_folder)
    noise = torch.randn(1, *LATENTS, generator=torch.Generator().manual_seed(3))
    latents = pipeline(
        image=Image.fromarray(image()),
        prompt=CAPTION,
        height=HEIGHT,
        width=WIDTH,
        num_frames=FRAMES,
        num_inference_steps=STEPS,
        guidance_scale=1.0,
        latents=noise.movedim(1, 2),
        max_sequence_length=TEXT_TOKENS,
        output_type="latent",
    ).frames
    torch.testing.assert_close(found.latents, latents.movedim(1, 2), atol=1e-5, rtol=1e-5)
    with torch.no_grad():
        video = pipeline.decode_latents(latents)
    expected = pipeline.video_processor.postprocess_video(video, output_type="np")
    np.testing.assert_allclose(found.rgb, expected * 255, atol=0.51)


def test_a_hub_id_is_pinned_to_its_commit_and_loaded_at_it(
    cogvideox_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Hub(cogvideox_folder, tmp_path / "cache")
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda _, *args, **named: served.model_info(*args, **named))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", served.download)
    monkeypatch.setattr("huggingface_hub.snapshot_download", served.download_all)
    monkeypatch.setattr("components.backbones.hub.SMALL", 0)
    described = describe(MODEL, "main")[PART]
    assert (described.revision, served.asked) == (COMMIT, ["main"])
    assert described.files == facts(cogvideox_folder)[PART].files
    assert not [path for path in served.downloaded if path.endswith(".safetensors")]
    backbone, _, _ = load({PART: described}, VIDEO)
    assert backbone.channels == LATENTS[0]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)])
def test_text_embeddings_are_the_pipelines(cogvideox_folder: Path, dtype: torch.dtype, tolerance: float) -> None:
    captions = [CAPTION, "", "  The  blue &amp; box\n slides ", "ramp " * 60]
    _, _, text = load(facts(cogvideox_folder), VIDEO, dtype=dtype)
    expected, _ = theirs(cogvideox_folder, dtype=dtype).encode_prompt(
        captions, do_classifier_free_guidance=False, max_sequence_length=TEXT_TOKENS
    )
    found = text.encode(captions)
    assert (found.shape, found.dtype) == ((4, TEXT_TOKENS, TEXT_WIDTH), torch.float32)
    differing = torch.linalg.vector_norm(found - expected.float())
    assert differing <= tolerance * torch.linalg.vector_norm(expected.float())


def test_padding_is_embedded_as_in_training(text: T5) -> None:
    assert (text.encode([""])[0].abs().sum(-1) > 0).all()


def test_a_caption_is_the_same_in_any_company(text: T5) -> None:
    together = text.encode(["the blue box", "a red ball", "the blue box"])
    assert torch.equal(together[0], together[2])
    assert torch.equal(together[1:2], text.encode(["a red ball"]))


def test_what_is_cut_off_is_counted(text: T5) -> None:
    assert text.unread("a red ball") == 0
    assert text.unread("ball " * TEXT_TOKENS) == 1  # the end token stays


def test_nothing_is_loaded_before_the_first_caption(tmp_path: Path) -> None:
    empty = T5(folder=tmp_path, tokens=TEXT_TOKENS, masked=False, dtype=torch.float32)
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer/tokenizer.json").write_text("{")
    with pytest.raises(ParametersError, match=r"tokenizer: not readable \(.*\): download it again"):
        empty.encode(["a red ball"])


def test_a_vocabulary_that_needs_a_missing_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published tokenizer is a sentencepiece vocabulary alone; transformers' own error asks for tiktoken."""
    monkeypatch.setattr("components.backbones.t5.find_spec", lambda _: None)
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer/spiece.model").write_bytes(b"")
    with pytest.raises(ParametersError, match=r"without tokenizer.json.*pip install sentencepiece"):
        T5(folder=tmp_path, tokens=TEXT_TOKENS, masked=False, dtype=torch.float32).unread("a red ball")


def test_published_weights_are_half_precision_and_frozen(cogvideox_folder: Path) -> None:
    backbone, codec, _ = load(facts(cogvideox_folder), VIDEO)
    assert (backbone.name, backbone.size, backbone.channels, backbone.width) == ("cogvideox", "5b", LATENTS[0], 32)
    assert backbone.transformer.dtype == torch.bfloat16
    assert codec.vae.dtype == torch.float32
    assert not any(value.requires_grad for value in backbone.transformer.parameters())
    condition = Condition(first=codec.encode(image()[None, None]), text=torch.zeros(1, TEXT_TOKENS, TEXT_WIDTH))
    prediction = backbone.predict(torch.zeros(1, *LATENTS), torch.ones(1), condition, taps=(2,))
    assert prediction.output.dtype == torch.float32
    assert torch.isfinite(prediction.output).all()


def test_weights_that_changed_since_the_manifest_are_refused(cogvideox_folder: Path) -> None:
    found = facts(cogvideox_folder)[PART]
    changed = replace(found, files={**found.files, "transformer/config.json": "0" * 64})
    with pytest.raises(Phys4dError, match=r"transformer/config.json is another file"):
        load({PART: changed}, VIDEO)


def test_loading_is_silent_and_leaves_the_global_source_of_random_numbers_alone(
    cogvideox_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    state = torch.get_rng_state()
    _, _, text = load(facts(cogvideox_folder), VIDEO)
    text.encode([CAPTION])
    assert torch.equal(torch.get_rng_state(), state)
    assert capfd.readouterr().err == ""
