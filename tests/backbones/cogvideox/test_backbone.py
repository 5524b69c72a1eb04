"""CogVideoX's adapter: what a prediction does and does not look at, its taps, and the videos it takes."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from components.backbones.base import Condition, Prediction
from components.backbones.cogvideox.backbone import OFFSET, CogVideoX, make_twin
from components.backbones.cogvideox.path import noise_levels
from components.backbones.family import VideoShape
from components.errors import ParametersError
from components.training.diffusion import Batch, diffusion_loss, sample
from tests.backbones.cogvideox.tiny import CHANNELS, FRAMES, LATENTS, TEXT_TOKENS, TEXT_WIDTH, make_transformer
from tests.backbones.shapes import twin_shape

SHAPE = (2, *LATENTS)  # B,C,F,h,w
TIMES = torch.tensor([0.3, 0.9])
LEVELS = noise_levels(beta_start=0.00085, beta_end=0.012, snr_shift=1.0)
FREE = {"use_learned_positional_embeddings": False}  # any size


def make_backbone(**changes: object) -> CogVideoX:
    return CogVideoX(make_transformer(**changes), size="tiny", levels=LEVELS)


@pytest.fixture(scope="module")
def cog() -> CogVideoX:
    """As published: learned positions, one size."""
    return make_backbone()


def condition(generator: torch.Generator) -> Condition:
    batch, channels, _, height, width = SHAPE
    return Condition(
        first=torch.randn(batch, channels, 1, height, width, generator=generator),
        text=torch.randn(batch, TEXT_TOKENS, TEXT_WIDTH, generator=generator),
    )


def test_a_latent_covers_the_first_frame_or_four() -> None:
    free = make_backbone(**FREE)
    assert free.frames_of_latent(17) == (range(0, 1), range(1, 5), range(5, 9), range(9, 13), range(13, 17))
    assert free.frames_of_latent(1) == (range(0, 1),)


@pytest.mark.parametrize(("frames", "nearest"), [(2, 9), (8, 9), (12, 9), (13, 17), (48, 49), (0, 9)])
def test_frames_that_do_not_fit_are_refused(frames: int, nearest: int) -> None:
    """4 k + 1 are not enough: the autoencoder decodes four latents to sixteen frames, not thirteen."""
    free = make_backbone(**FREE)
    for call in (free.check_frames, free.frames_of_latent):
        with pytest.raises(
            ParametersError, match=rf"video.frames: {frames} does not fit .* expected 8 k \+ 1: write {nearest}$"
        ):
            call(frames)


@pytest.mark.parametrize("frames", [1, 17, 8])
def test_learned_positions_take_one_number_of_frames(cog: CogVideoX, frames: int) -> None:
    cog.check_frames(FRAMES)
    with pytest.raises(ParametersError, match=rf"video.frames: {frames} does not fit .* expected 9, the only number"):
        cog.check_frames(frames)


@pytest.mark.parametrize(
    ("changes", "shape", "tokens", "message"),
    [
        ({}, (3, 4, 4), TEXT_TOKENS, r"latents of 4x4 .* expected 4x6, .* video.height 32 and video.width 48$"),
        ({}, (5, 4, 6), TEXT_TOKENS, r"video.frames: 17 .* expected 9"),
        (FREE, (3, 5, 6), TEXT_TOKENS, r"latents of 5x6 .* multiples of 2: write multiples of 16"),
        (FREE, (4, 4, 6), TEXT_TOKENS, r"video.frames: 13 .* expected 8 k \+ 1"),
        ({}, (3, 4, 6), 11, r"text of 11 tokens .* expected 12: encode"),
    ],
)
def test_latents_that_the_checkpoint_has_no_positions_for_are_refused(
    changes: dict[str, object], shape: tuple[int, int, int], tokens: int, message: str
) -> None:
    """diffusers takes sines in place of the learned table for another number of frames, without a word."""
    frames, height, width = shape
    given = Condition(first=torch.zeros(1, CHANNELS, 1, height, width), text=torch.zeros(1, tokens, TEXT_WIDTH))
    with pytest.raises(ParametersError, match=message):
        make_backbone(**changes).predict(torch.zeros(1, CHANNELS, frames, height, width), TIMES[:1], given)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("changed", ["text", "first", "times", "noisy"])
def test_a_prediction_follows_each_of_its_inputs(cog: CogVideoX, generator: torch.Generator, changed: str) -> None:
    given, noisy, times = condition(generator), torch.randn(SHAPE, generator=generator), TIMES
    before = cog.predict(noisy, times, given).output
    if changed in ("text", "first"):
        other = torch.randn(getattr(given, changed).shape, generator=generator)
        given = replace(given, **{changed: other})
    elif changed == "times":
        times = times / 2
    else:
        noisy = noisy + torch.randn(SHAPE, generator=generator)
    assert (cog.predict(noisy, times, given).output - before).abs().mean() > 1e-3


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("scale", [1.0, 1 / 0.49])
def test_the_network_is_told_the_first_frame_beside_the_first_latent_and_zeros_beside_the_others(
    generator: torch.Generator, scale: float
) -> None:
    cog = CogVideoX(make_transformer(), size="tiny", levels=LEVELS, first_scale=scale)
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    (entered, text, told_times), _ = _entering(cog, noisy, given)
    assert entered.shape == (2, 3, 2 * CHANNELS, 4, 6)  # diffusers' order: B,F,C,h,w
    assert torch.equal(entered[:, :, :CHANNELS], noisy.movedim(1, 2))
    torch.testing.assert_close(entered[:, :1, CHANNELS:], given.first.movedim(1, 2) * scale)
    assert torch.equal(entered[:, 1:, CHANNELS:], torch.zeros(2, 2, CHANNELS, 4, 6))
    assert torch.equal(text, given.text)
    assert told_times.tolist() == [299.0, 899.0]


def test_the_offset_is_told_where_the_checkpoint_embeds_one(generator: torch.Generator) -> None:
    for ofs_embed_dim, expected in ((16, [OFFSET]), (None, None)):
        cog = make_backbone(ofs_embed_dim=ofs_embed_dim)
        _, named = _entering(cog, torch.randn(SHAPE, generator=generator), condition(generator))
        assert (named["ofs"].tolist() if expected else named["ofs"]) == expected


@pytest.mark.usefixtures("exact")
def test_samples_do_not_see_each_other(cog: CogVideoX, generator: torch.Generator) -> None:
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    together = cog.predict(noisy, TIMES, given, taps=(1,))
    alone = cog.predict(noisy[1:], TIMES[1:], given[1:], taps=(1,))
    torch.testing.assert_close(together.output[1:], alone.output, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.taps[0][1:], alone.taps[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("numbers", [(), (2,), (0, 2), (0, 1, 2)])
def test_taps_are_token_grids_of_the_blocks_asked_for(
    cog: CogVideoX, generator: torch.Generator, numbers: Sequence[int]
) -> None:
    prediction = cog.predict(torch.randn(SHAPE, generator=generator), TIMES, condition(generator), taps=numbers)
    assert prediction.output.shape == SHAPE
    assert prediction.output.dtype == torch.float32
    assert [tap.shape for tap in prediction.taps] == [(2, 3, 2, 3, cog.width)] * len(numbers)


@pytest.mark.usefixtures("exact")
def test_the_last_tap_alone_decides_the_output(cog: CogVideoX, generator: torch.Generator) -> None:
    """The transformer's own last layers make the output of it: taps are the video's tokens, in the grid's order."""
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    prediction = cog.predict(noisy, TIMES, given, taps=(2, 0))
    model = cog.transformer
    time = model.time_embedding(model.time_proj(torch.tensor([299, 899])))
    tokens = model.norm_out(model.norm_final(prediction.taps[0].flatten(1, 3)), temb=time)
    pixels = model.proj_out(tokens).view(2, 3, 2, 3, CHANNELS, 2, 2)
    expected = pixels.permute(0, 4, 1, 2, 5, 3, 6).reshape(SHAPE)
    torch.testing.assert_close(prediction.output, expected, atol=1e-5, rtol=1e-5)
    assert not torch.equal(prediction.taps[0], prediction.taps[1])
    assert torch.equal(cog.predict(noisy, TIMES, given).output, prediction.output)


def test_no_hook_stays_when_a_forward_pass_fails(cog: CogVideoX, generator: torch.Generator) -> None:
    given = condition(generator)
    with pytest.raises(RuntimeError):
        cog.predict(torch.randn(2, CHANNELS + 1, *LATENTS[1:], generator=generator), TIMES, given, taps=(0,))
    assert not any(block._forward_hooks for block in cog.blocks())


def test_the_loss_counts_every_frame(
    cog: CogVideoX, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first frame is generated like any other: an error of 2 on it alone costs 4 in each of its values."""
    clean = torch.randn(SHAPE, generator=generator)
    noise = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    output = cog.target(clean, noise, TIMES)
    output[:, :, 0] += 2
    monkeypatch.setattr(cog, "predict", lambda *_, **__: Prediction(output=output, taps=()))
    batch = Batch(clean=clean, condition=condition(generator))
    loss, _, _ = diffusion_loss(cog, batch, TIMES, torch.Generator().manual_seed(1))
    assert float(loss) == pytest.approx(4 / 3, rel=1e-5)


def test_zero_terminal_signal_to_noise_gives_numbers_and_gradients(generator: torch.Generator) -> None:
    cog = make_backbone()
    cog.transformer.requires_grad_(True)
    batch = Batch(clean=torch.randn(SHAPE, generator=generator), condition=condition(generator))
    loss, _, _ = diffusion_loss(cog, batch, torch.ones(2), generator)
    loss.backward()
    gradients = [value.grad for value in cog.transformer.parameters() if value.grad is not None]
    assert gradients
    assert all(torch.isfinite(value).all() for value in gradients)
    assert torch.isfinite(sample(cog, torch.randn(SHAPE, generator=generator), batch.condition, steps=2)).all()


def test_the_layers_that_lora_adapts_are_all_but_the_modulation(cog: CogVideoX) -> None:
    for block in cog.blocks():
        linear = [name for name, module in block.named_modules() if isinstance(module, torch.nn.Linear)]
        others = [name for name in linear if not name.endswith(cog.adapter_targets)]
        assert others == ["norm1.linear", "norm2.linear"]
        assert len(linear) - len(others) == len(cog.adapter_targets)


def test_twins_of_a_seed_are_the_same_and_take_the_size_they_were_made_for(generator: torch.Generator) -> None:
    video = VideoShape(frames=FRAMES, height=8 * LATENTS[2], width=8 * LATENTS[3], fps=8.0)
    state = torch.get_rng_state()
    first, second, other = (
        make_twin(
            twin_shape(layers=1, channels=CHANNELS, text_width=TEXT_WIDTH, text_tokens=TEXT_TOKENS, video=video),
            seed=seed,
        )
        for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), state)
    weights, again = first.transformer.parameters(), second.transformer.parameters()
    assert all(torch.equal(a, b) for a, b in zip(weights, again, strict=True))
    assert not torch.equal(first.transformer.proj_out.weight, other.transformer.proj_out.weight)
    assert first.predict(torch.randn(SHAPE, generator=generator), TIMES, condition(generator)).output.shape == SHAPE


def test_the_published_size_fits() -> None:
    """CogVideoX-5b-I2V's own shape without its values: 5.57 billion weights, 480x720, 49 frames."""
    with torch.device("meta"):
        cog = make_backbone(
            num_attention_heads=48,
            attention_head_dim=64,
            in_channels=32,
            out_channels=16,
            time_embed_dim=512,
            text_embed_dim=4096,
            num_layers=42,
            sample_height=60,
            sample_width=90,
            sample_frames=49,
            max_text_seq_length=226,
        )
        noisy = torch.zeros(1, 16, 13, 60, 90)
        given = Condition(first=noisy[:, :, :1], text=torch.zeros(1, 226, 4096))
        prediction = cog.predict(noisy, torch.ones(1), given, taps=(10, 41))
    assert sum(value.numel() for value in cog.transformer.parameters()) == 5_570_479_680
    assert prediction.output.shape == noisy.shape
    assert [tap.shape for tap in prediction.taps] == [(1, 13, 30, 45, 3072)] * 2
    assert cog.frames_of_latent(49)[-1] == range(45, 49)


def _entering(cog: CogVideoX, noisy: Tensor, given: Condition) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """What enters the transformer: by place, and by name."""
    seen = SimpleNamespace()
    hook = cog.transformer.register_forward_pre_hook(
        lambda _, inputs, named: seen.__dict__.update(inputs=inputs, named=named), with_kwargs=True
    )
    cog.predict(noisy, TIMES, given)
    hook.remove()
    return seen.inputs, seen.named
