"""CogVideoX's path between data and noise is that of diffusers' scheduler, at every timestep and without a gap."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from components.backbones.cogvideox.backbone import CogVideoX
from components.backbones.cogvideox.path import LEVELS, noise_levels, timesteps
from components.errors import ParametersError
from components.training.diffusion import add_noise
from tests.backbones.cogvideox.tiny import SCHEDULE, make_scheduler, make_transformer

SHAPE = (1000, 2, 1, 1, 1)
ALL = torch.arange(1000)
TIMES = (ALL + 1) / 1000  # of all discrete timesteps


def make_backbone(snr_shift: float = 1.0) -> CogVideoX:
    levels = noise_levels(beta_start=SCHEDULE["beta_start"], beta_end=SCHEDULE["beta_end"], snr_shift=snr_shift)
    return CogVideoX(make_transformer(num_layers=1), size="tiny", levels=levels)


@pytest.fixture(scope="module")
def cog() -> CogVideoX:
    return make_backbone()


def drawn(generator: torch.Generator, count: int = 2) -> list[Tensor]:
    return [torch.randn(SHAPE, generator=generator) for _ in range(count)]


@pytest.mark.parametrize("snr_shift", [1.0, 3.0])
def test_noising_is_the_schedulers_at_every_timestep(generator: torch.Generator, snr_shift: float) -> None:
    cog, scheduler = make_backbone(snr_shift), make_scheduler(snr_shift_scale=snr_shift)
    clean, noise = drawn(generator)
    found = add_noise(cog, clean, TIMES, noise).noisy
    torch.testing.assert_close(found, scheduler.add_noise(clean, noise, ALL), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("snr_shift", [1.0, 3.0])
def test_the_target_is_the_schedulers_velocity_at_every_timestep(generator: torch.Generator, snr_shift: float) -> None:
    cog, scheduler = make_backbone(snr_shift), make_scheduler(snr_shift_scale=snr_shift)
    clean, noise = drawn(generator)
    found = cog.target(clean, noise, TIMES)
    torch.testing.assert_close(found, scheduler.get_velocity(clean, noise, ALL), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("steps", [10, 50])
def test_a_step_is_the_schedulers_where_it_divides_the_timesteps(
    cog: CogVideoX, generator: torch.Generator, steps: int
) -> None:
    """Elsewhere the scheduler steps to another level than the one it names next."""
    scheduler = make_scheduler()
    scheduler.set_timesteps(steps)
    noisy, output = (value[:1] for value in drawn(generator))
    for timestep, (now, after) in zip(scheduler.timesteps, pairwise(cog.schedule(steps)), strict=True):
        clean, noise = cog.split(noisy, output, now[None])
        alpha, sigma = cog.path(after)
        expected, expected_clean = scheduler.step(output, timestep, noisy, return_dict=False)
        torch.testing.assert_close(clean, expected_clean, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(alpha * clean + sigma * noise, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("steps", [1, 3, 7, 16, 40, 50, 64, 333, 999, 1000])
def test_a_schedule_is_the_trailing_timesteps_and_the_end(cog: CogVideoX, steps: int) -> None:
    scheduler = make_scheduler()
    scheduler.set_timesteps(steps)
    times = cog.schedule(steps)
    assert torch.equal(timesteps(times[:-1]), scheduler.timesteps.float())
    assert (float(times[0]), float(times[-1])) == (1.0, 0.0)
    assert all(later < earlier for earlier, later in pairwise(times.tolist()))


@pytest.mark.parametrize("steps", [0, 1001])
def test_a_schedule_without_enough_timesteps_is_refused(cog: CogVideoX, steps: int) -> None:
    with pytest.raises(ParametersError, match=rf"sampler steps: {steps} is wrong, expected 1..1000"):
        cog.schedule(steps)


def test_the_network_is_told_whole_timesteps_at_whole_levels_and_what_lies_between_them() -> None:
    assert torch.equal(timesteps(TIMES), ALL.float())
    assert timesteps(torch.tensor([0.0, 0.0005, 0.001, 0.2505])).tolist() == pytest.approx([0, 0, 0, 249.5], abs=1e-4)


def test_the_path_is_on_the_unit_circle_and_falls_from_data_to_noise_without_a_jump(cog: CogVideoX) -> None:
    times = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    alpha, sigma = cog.path(times)
    torch.testing.assert_close(alpha.square() + sigma.square(), torch.ones_like(times))
    assert (float(alpha[0]), float(sigma[0]), float(alpha[-1]), float(sigma[-1])) == (1.0, 0.0, 0.0, 1.0)
    assert (alpha.diff() < 0).all()
    assert (sigma.diff() > 0).all()
    assert sigma.diff()[20:].max() < 1e-3  # of a twentieth of a level; the first level alone is a long way, .03


def test_between_two_levels_the_path_is_halfway(cog: CogVideoX) -> None:
    (before, _), (between, _), (after, _) = (cog.path(torch.tensor([time])) for time in (0.5, 0.5005, 0.501))
    assert float(between) == pytest.approx(float(before + after) / 2, abs=1e-6)


@pytest.mark.parametrize("time", [0.0, 0.0003, 0.05, 0.5, 0.9995, 1.0])
def test_an_output_equal_to_the_target_stands_for_the_clean_latents_and_the_noise(
    cog: CogVideoX, generator: torch.Generator, time: float
) -> None:
    clean, noise = drawn(generator)
    times = torch.full(SHAPE[:1], time)
    noised = add_noise(cog, clean, times, noise)
    found_clean, found_noise = cog.split(noised.noisy, cog.target(clean, noise, times), times)
    torch.testing.assert_close(found_clean, clean, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found_noise, noise, atol=1e-5, rtol=1e-5)


def test_training_draws_every_timestep_alike(cog: CogVideoX) -> None:
    times = cog.sample_times(200_000, torch.Generator().manual_seed(0))
    told = timesteps(times)
    assert torch.equal(told, told.round())
    counts = torch.bincount(told.long(), minlength=LEVELS)
    assert counts.shape == (LEVELS,)
    chi_square = float(((counts - 200).square() / 200).sum())
    assert abs(chi_square - 999) < 5 * (2 * 999) ** 0.5
    assert torch.equal(times, cog.sample_times(200_000, torch.Generator().manual_seed(0)))
