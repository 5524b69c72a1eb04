"""LTX-Video on the tiny twin: its path, its times, and what a prediction does and does not look at."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from components.backbones.base import Condition, Prediction, per_sample
from components.backbones.ltx_video import Grid, LtxVideo, NoiseLevels, make_twin
from components.errors import ParametersError
from components.training.diffusion import Batch, add_noise, diffusion_loss
from tests.backbones.ltx_video.tiny import make_transformer
from tests.backbones.shapes import twin_shape

SHAPE = (2, 8, 3, 4, 6)  # B,C,F,h,w
TIMES = torch.tensor([0.3, 0.9])
TEXT_WIDTH = 16


@pytest.fixture
def ltx() -> LtxVideo:
    backbone = make_twin(twin_shape(layers=3, channels=SHAPE[1], text_width=TEXT_WIDTH), seed=0)
    backbone.transformer.eval().requires_grad_(False)
    return backbone


@pytest.fixture
def published() -> LtxVideo:
    """Of the published grid."""
    grid, levels = Grid(chunk=8, stride=32, fps=24.0), NoiseLevels(shift=3.0, last=0.1)
    return LtxVideo(make_transformer(), size="2b", grid=grid, levels=levels)


def condition(generator: torch.Generator) -> Condition:
    """Texts of three tokens and of five."""
    batch, channels, _, height, width = SHAPE
    text = torch.randn(batch, 5, TEXT_WIDTH, generator=generator)
    text[0, 3:] = 0
    return Condition(first=torch.randn(batch, channels, 1, height, width, generator=generator), text=text)


def test_the_path_leads_from_data_to_noise(ltx: LtxVideo) -> None:
    alpha, sigma = ltx.path(torch.tensor([0.0, 0.25, 1.0]))
    assert alpha.tolist() == [1.0, 0.75, 0.0]
    assert sigma.tolist() == [0.0, 0.25, 1.0]


@pytest.mark.parametrize("time", [0.0, 0.05, 0.5, 0.95, 1.0])
def test_an_output_equal_to_the_target_stands_for_the_clean_latents_and_the_noise(
    ltx: LtxVideo, generator: torch.Generator, time: float
) -> None:
    clean, times = torch.randn(SHAPE, generator=generator), torch.full((SHAPE[0],), time)
    noised = add_noise(ltx, clean, times, torch.randn(clean.shape, generator=generator))
    found_clean, found_noise = ltx.split(noised.noisy, ltx.target(clean, noised.noise, times), times)
    torch.testing.assert_close(found_clean, clean, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(found_noise, noised.noise, atol=1e-6, rtol=1e-6)


def test_any_output_splits_into_two_that_add_up_to_the_noisy_latents(ltx: LtxVideo, generator: torch.Generator) -> None:
    noisy, output = torch.randn(SHAPE, generator=generator), torch.randn(SHAPE, generator=generator)
    clean, noise = ltx.split(noisy, output, TIMES)
    alpha, sigma = (per_sample(value, noisy) for value in ltx.path(TIMES))
    torch.testing.assert_close(alpha * clean + sigma * noise, noisy)


def test_noising_and_target_are_the_published_schedulers(ltx: LtxVideo, generator: torch.Generator) -> None:
    """One Euler step of it along the target leads from the noisy latents at t to the clean ones at 0."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    clean, noise = torch.randn(SHAPE, generator=generator), torch.randn(SHAPE, generator=generator)
    scheduler = FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(sigmas=[0.7])
    noisy = scheduler.scale_noise(clean, scheduler.timesteps, noise)
    times = torch.full((SHAPE[0],), 0.7)
    torch.testing.assert_close(add_noise(ltx, clean, times, noise).noisy, noisy)
    target = ltx.target(clean, noise, times)
    torch.testing.assert_close(scheduler.step(target, scheduler.timesteps[0], noisy)[0], clean)


def test_training_draws_shifted_logistic_normal_times(ltx: LtxVideo, generator: torch.Generator) -> None:
    """The median is s / (s + 1), and log-odds have the deviation of a standard normal variable."""
    drawn = ltx.sample_times(20_000, generator)
    assert 0 < float(drawn.min()) < float(drawn.max()) < 1
    assert float(drawn.median()) == pytest.approx(3 / 4, abs=0.01)
    assert float(drawn.logit().std()) == pytest.approx(1, abs=0.02)
    first, second = (ltx.sample_times(5, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, second)


def test_a_latent_covers_the_first_frame_or_eight_and_of_a_twin_four(ltx: LtxVideo, published: LtxVideo) -> None:
    assert published.frames_of_latent(17) == (range(0, 1), range(1, 9), range(9, 17))
    assert ltx.frames_of_latent(9) == (range(0, 1), range(1, 5), range(5, 9))
    assert published.frames_of_latent(1) == ltx.frames_of_latent(1) == (range(0, 1),)
    assert (published.covers, ltx.covers) == (8, 4)


@pytest.mark.parametrize("frames", [2, 8, 13, 16, 120])
def test_frames_that_do_not_fit_are_refused(published: LtxVideo, frames: int) -> None:
    for call in (published.check_frames, published.frames_of_latent):
        with pytest.raises(ParametersError, match=rf"video.frames: {frames} does not fit .* ltx_video, expected 8 k"):
            call(frames)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("changed", ["text", "first", "times", "noisy"])
def test_a_prediction_follows_each_of_its_inputs(ltx: LtxVideo, generator: torch.Generator, changed: str) -> None:
    given, noisy, times = condition(generator), torch.randn(SHAPE, generator=generator), TIMES
    before = ltx.predict(noisy, times, given).output
    if changed in ("text", "first"):
        other = torch.randn(getattr(given, changed).shape, generator=generator)
        given = replace(given, **{changed: other})
    elif changed == "times":
        times = times / 2
    else:
        noisy = noisy + torch.randn(SHAPE, generator=generator)
    assert (ltx.predict(noisy, times, given).output - before)[:, :, 1:].abs().mean() > 1e-3


@pytest.mark.usefixtures("exact")
def test_the_given_frame_comes_from_the_condition_alone(ltx: LtxVideo, generator: torch.Generator) -> None:
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    other = noisy.clone()
    other[:, :, 0] = 100
    assert torch.equal(ltx.predict(noisy, TIMES, given).output, ltx.predict(other, TIMES, given).output)


@pytest.mark.usefixtures("exact")
def test_padding_behind_a_text_changes_nothing(ltx: LtxVideo, generator: torch.Generator) -> None:
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    longer = replace(given, text=torch.cat([given.text, torch.zeros(2, 4, TEXT_WIDTH)], 1))
    found, expected = (ltx.predict(noisy, TIMES, each).output for each in (longer, given))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


@pytest.mark.usefixtures("exact")
def test_the_given_frames_tokens_have_time_zero_and_all_others_their_samples(
    ltx: LtxVideo, generator: torch.Generator
) -> None:
    seen: list[Tensor] = []
    ltx.transformer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[2]))
    ltx.predict(torch.randn(SHAPE, generator=generator), TIMES, condition(generator))
    tokens = seen[0].view(2, 3, 24)  # frames of 4 x 6 tokens
    assert torch.equal(tokens[:, 0], torch.zeros(2, 24))
    torch.testing.assert_close(tokens[:, 1:], 1000 * TIMES.view(2, 1, 1).expand(2, 2, 24))


@pytest.mark.usefixtures("exact")
def test_positions_are_told_in_seconds_and_pixels(generator: torch.Generator) -> None:
    """A video of half the frame rate and one of half the pixels are other videos to the network."""
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    video = twin_shape().video
    twins = [make_twin(twin_shape(channels=8, video=replace(video, fps=fps)), seed=0) for fps in (8.0, 8.0, 4.0)]
    twins[1].grid = replace(twins[1].grid, stride=16)
    whole, coarse, slow = (twin.predict(noisy, TIMES, given).output for twin in twins)
    assert (whole - coarse).abs().mean() > 1e-3
    assert (whole - slow).abs().mean() > 1e-3


@pytest.mark.usefixtures("exact")
def test_samples_do_not_see_each_other(ltx: LtxVideo, generator: torch.Generator) -> None:
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    together = ltx.predict(noisy, TIMES, given, taps=(1,))
    alone = ltx.predict(noisy[1:], TIMES[1:], given[1:], taps=(1,))
    torch.testing.assert_close(together.output[1:], alone.output, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.taps[0][1:], alone.taps[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("numbers", [(), (2,), (0, 2), (0, 1, 2)])
def test_taps_are_token_grids_of_the_blocks_asked_for(
    ltx: LtxVideo, generator: torch.Generator, numbers: Sequence[int]
) -> None:
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    prediction = ltx.predict(noisy, TIMES, given, taps=numbers)
    assert (prediction.output.shape, prediction.output.dtype) == (SHAPE, torch.float32)
    assert [tap.shape for tap in prediction.taps] == [(2, 3, 4, 6, ltx.width)] * len(numbers)


@pytest.mark.usefixtures("exact")
def test_a_tap_is_at_the_place_of_its_latent(ltx: LtxVideo, generator: torch.Generator) -> None:
    """What goes into a block, after attention is silenced, differs where the latents differ and nowhere else."""
    silenced = [value for name, value in ltx.transformer.named_parameters() if ".to_out.0." in name]
    assert len(silenced) == 4 * len(ltx.blocks())
    for value in silenced:
        torch.nn.init.zeros_(value)
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    other = noisy.clone()
    other[:, :, 1, 2, 4] += 1
    before, after = (ltx.predict(each, TIMES, given, taps=(0,)) for each in (noisy, other))
    place = (torch.arange(2)[:, None], torch.tensor([[1, 2, 4]] * 2))
    assert torch.equal((before.taps[0] != after.taps[0]).any(-1).nonzero(), torch.cat(place, 1))
    assert torch.equal((before.output != after.output).any(1).nonzero(), torch.cat(place, 1))


def test_no_hook_stays_when_a_forward_pass_fails(ltx: LtxVideo, generator: torch.Generator) -> None:
    given = condition(generator)
    with pytest.raises(RuntimeError):
        ltx.predict(torch.randn(2, 9, 3, 4, 6, generator=generator), TIMES, given, taps=(0,))
    assert not any(block._forward_hooks for block in ltx.blocks())


def test_the_loss_leaves_the_given_frame_out(
    ltx: LtxVideo, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An output that is right everywhere but there costs nothing; an error of 2 elsewhere costs 4."""
    clean = torch.randn(SHAPE, generator=generator)
    batch = Batch(clean=clean, condition=condition(generator))
    noise = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    for offset, expected in ((0.0, 0.0), (2.0, 4.0)):
        output = noise - clean + offset
        output[:, :, 0] = 1000
        said = Prediction(output=output, taps=())
        monkeypatch.setattr(ltx, "predict", lambda *_, said=said, **__: said)
        loss, _, _ = diffusion_loss(ltx, batch, TIMES, torch.Generator().manual_seed(1))
        assert float(loss) == pytest.approx(expected, abs=1e-9)


def test_twins_of_a_seed_are_the_same_and_leave_the_global_source_alone() -> None:
    state = torch.get_rng_state()
    first, second, other = (make_twin(twin_shape(layers=1), seed=seed).transformer for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.proj_out.weight, other.proj_out.weight)


def test_the_layers_that_lora_adapts_are_all_linear_ones_of_every_block(ltx: LtxVideo) -> None:
    for block in ltx.blocks():
        linear = [name for name, module in block.named_modules() if isinstance(module, torch.nn.Linear)]
        assert all(name.endswith(ltx.adapter_targets) for name in linear)
        assert all(any(name.endswith(target) for name in linear) for target in ltx.adapter_targets)
