"""Wan on the tiny twin: its path, its times, and what a prediction does and does not look at."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from components.backbones.base import Condition, per_sample
from components.backbones.wan22.backbone import Wan, make_twin
from components.errors import ParametersError
from components.training.diffusion import Batch, add_noise, diffusion_loss
from tests.backbones.conftest import TEXT_WIDTH
from tests.backbones.shapes import twin_shape

SHAPE = (2, 8, 3, 4, 4)  # B,C,F,h,w
TIMES = torch.tensor([0.3, 0.9])


def condition(generator: torch.Generator) -> Condition:
    batch, channels, _, height, width = SHAPE
    return Condition(
        first=torch.randn(batch, channels, 1, height, width, generator=generator),
        text=torch.randn(batch, 5, TEXT_WIDTH, generator=generator),
    )


def test_the_path_leads_from_data_to_noise(wan: Wan) -> None:
    alpha, sigma = wan.path(torch.tensor([0.0, 0.25, 1.0]))
    assert alpha.tolist() == [1.0, 0.75, 0.0]
    assert sigma.tolist() == [0.0, 0.25, 1.0]


@pytest.mark.parametrize("time", [0.0, 0.05, 0.5, 0.95, 1.0])
def test_an_output_equal_to_the_target_stands_for_the_clean_latents_and_the_noise(
    wan: Wan, generator: torch.Generator, time: float
) -> None:
    clean, times = torch.randn(SHAPE, generator=generator), torch.full((SHAPE[0],), time)
    noised = add_noise(wan, clean, times, torch.randn(clean.shape, generator=generator))
    found_clean, found_noise = wan.split(noised.noisy, wan.target(clean, noised.noise, times), times)
    torch.testing.assert_close(found_clean, clean, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(found_noise, noised.noise, atol=1e-6, rtol=1e-6)


def test_any_output_splits_into_two_that_add_up_to_the_noisy_latents(wan: Wan, generator: torch.Generator) -> None:
    noisy, output = torch.randn(SHAPE, generator=generator), torch.randn(SHAPE, generator=generator)
    clean, noise = wan.split(noisy, output, TIMES)
    alpha, sigma = (per_sample(value, noisy) for value in wan.path(TIMES))
    torch.testing.assert_close(alpha * clean + sigma * noise, noisy)


@pytest.mark.parametrize("steps", [1, 4, 50])
def test_a_schedule_falls_from_one_to_zero(wan: Wan, steps: int) -> None:
    times = wan.schedule(steps).tolist()
    assert (len(times), times[0], times[-1]) == (steps + 1, 1.0, 0.0)
    assert all(later < earlier for earlier, later in pairwise(times))


def test_the_shift_moves_times_towards_noise(wan: Wan, generator: torch.Generator) -> None:
    """s u / (1 + (s - 1) u), Wan's time shift: the middle of the schedule is at s / (s + 1)."""
    torch.testing.assert_close(wan.schedule(2)[1], torch.tensor(3 / 4))
    drawn = wan.sample_times(20_000, generator)
    assert 0 < float(drawn.min()) < float(drawn.max()) < 1
    assert float(drawn.median()) == pytest.approx(3 / 4, abs=0.01)


def test_times_are_those_of_the_generator(wan: Wan) -> None:
    first, second = (wan.sample_times(5, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, second)


def test_a_latent_covers_the_first_frame_or_four(wan: Wan) -> None:
    covered = wan.frames_of_latent(17)
    assert covered == (range(0, 1), range(1, 5), range(5, 9), range(9, 13), range(13, 17))
    assert wan.frames_of_latent(1) == (range(0, 1),)


@pytest.mark.parametrize("frames", [2, 4, 16, 120])
def test_frames_that_do_not_fit_are_refused(wan: Wan, frames: int) -> None:
    for call in (wan.check_frames, wan.frames_of_latent):
        with pytest.raises(ParametersError, match=rf"video.frames: {frames} does not fit backbone wan22, expected 4 k"):
            call(frames)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("changed", ["text", "first", "times", "noisy"])
def test_a_prediction_follows_each_of_its_inputs(wan: Wan, generator: torch.Generator, changed: str) -> None:
    given, noisy, times = condition(generator), torch.randn(SHAPE, generator=generator), TIMES
    before = wan.predict(noisy, times, given).output
    if changed in ("text", "first"):
        other = torch.randn(getattr(given, changed).shape, generator=generator)
        given = replace(given, **{changed: other})
    elif changed == "times":
        times = times / 2
    else:
        noisy = noisy + torch.randn(SHAPE, generator=generator)
    assert (wan.predict(noisy, times, given).output - before)[:, :, 1:].abs().mean() > 1e-3


@pytest.mark.usefixtures("exact")
def test_the_given_frame_comes_from_the_condition_alone(wan: Wan, generator: torch.Generator) -> None:
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    other = noisy.clone()
    other[:, :, 0] = 100
    assert torch.equal(wan.predict(noisy, TIMES, given).output, wan.predict(other, TIMES, given).output)


@pytest.mark.usefixtures("exact")
def test_the_given_frames_tokens_have_time_zero_and_all_others_their_samples(
    wan: Wan, generator: torch.Generator
) -> None:
    seen: list[Tensor] = []
    hook = wan.transformer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    wan.predict(torch.randn(SHAPE, generator=generator), TIMES, condition(generator))
    hook.remove()
    tokens = seen[0].view(2, 3, 4)  # frames of 2 x 2 tokens
    assert torch.equal(tokens[:, 0], torch.zeros(2, 4))
    torch.testing.assert_close(tokens[:, 1:], 1000 * TIMES.view(2, 1, 1).expand(2, 2, 4))


@pytest.mark.usefixtures("exact")
def test_samples_do_not_see_each_other(wan: Wan, generator: torch.Generator) -> None:
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    together = wan.predict(noisy, TIMES, given, taps=(1,))
    alone = wan.predict(noisy[1:], TIMES[1:], given[1:], taps=(1,))
    torch.testing.assert_close(together.output[1:], alone.output, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.taps[0][1:], alone.taps[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("numbers", [(), (2,), (0, 2), (0, 1, 2)])
def test_taps_are_token_grids_of_the_blocks_asked_for(
    wan: Wan, generator: torch.Generator, numbers: Sequence[int]
) -> None:
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    prediction = wan.predict(noisy, TIMES, given, taps=numbers)
    assert prediction.output.shape == SHAPE
    assert prediction.output.dtype == torch.float32
    assert [tap.shape for tap in prediction.taps] == [(2, 3, 2, 2, wan.width)] * len(numbers)


@pytest.mark.usefixtures("exact")
def test_taps_come_in_the_order_they_were_asked_for_and_change_nothing(wan: Wan, generator: torch.Generator) -> None:
    given, noisy = condition(generator), torch.randn(SHAPE, generator=generator)
    shallow, deep = wan.predict(noisy, TIMES, given, taps=(0, 2)).taps
    reversed_ = wan.predict(noisy, TIMES, given, taps=(2, 0))
    assert torch.equal(torch.stack([shallow, deep]), torch.stack(reversed_.taps[::-1]))
    assert not torch.equal(shallow, deep)
    assert torch.equal(wan.predict(noisy, TIMES, given).output, reversed_.output)


def test_no_hook_stays_when_a_forward_pass_fails(wan: Wan, generator: torch.Generator) -> None:
    given = condition(generator)
    with pytest.raises(RuntimeError):
        wan.predict(torch.randn(2, 9, 3, 4, 4, generator=generator), TIMES, given, taps=(0,))
    assert not any(block._forward_hooks for block in wan.blocks())


def test_the_loss_leaves_the_given_frame_out(
    wan: Wan, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An output that is right everywhere but there costs nothing; an error of 2 elsewhere costs 4."""
    clean = torch.randn(SHAPE, generator=generator)
    batch = Batch(clean=clean, condition=condition(generator))
    noise = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    for offset, expected in ((0.0, 0.0), (2.0, 4.0)):
        output = noise - clean + offset
        output[:, :, 0] = 1000
        monkeypatch.setattr(wan, "predict", _constant(output))
        loss, noised, _ = diffusion_loss(wan, batch, TIMES, torch.Generator().manual_seed(1))
        assert torch.equal(noised.noise, noise)
        assert float(loss) == pytest.approx(expected, abs=1e-9)


def test_twins_of_a_seed_are_the_same_and_leave_the_global_source_alone() -> None:
    shape = twin_shape(layers=1)
    state = torch.get_rng_state()
    first, second, other = (make_twin(shape, seed=seed).transformer for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.proj_out.weight, other.proj_out.weight)


def test_the_layers_that_lora_adapts_are_in_every_block(wan: Wan) -> None:
    for block in wan.blocks():
        linear = [name for name, module in block.named_modules() if isinstance(module, torch.nn.Linear)]
        assert linear
        assert all(name.endswith(wan.adapter_targets) for name in linear)


def _constant(output: Tensor) -> object:
    from components.backbones.base import Prediction

    return lambda *_, **__: Prediction(output=output, taps=())
