"""Stochastic denoising steps are Gaussians, and keep the noise level of the path."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from components.backbones.base import Condition, per_sample
from components.errors import ParametersError
from components.training.diffusion import sample
from components.training.transitions import (
    TRANSITIONS,
    Gaussian,
    Transition,
    coefficients_preserving,
    marginal_preserving,
    transition_of,
)
from tests.training.twins import make_backbone

SHAPE = (3, 8, 3, 4, 4)
SPREAD = 0.5  # of data


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def exact(now: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Clean latents, the noise on them, and the velocity that a perfect network puts out."""
    clean, noise = random(*SHAPE, seed=1), random(*SHAPE, seed=2)
    return clean, noise, make_backbone().target(clean, noise, now)


def at(time: float) -> Tensor:
    return torch.full((SHAPE[0],), time)


def step(now: Tensor, after: Tensor, *, noise: float) -> tuple[Gaussian, Tensor, Tensor]:
    backbone = make_backbone()
    clean, residual, output = exact(now)
    alpha, sigma = (per_sample(value, clean) for value in backbone.path(now))
    noisy = alpha * clean + sigma * residual
    return coefficients_preserving(backbone, noisy, output, now, after, noise=noise), clean, residual


def test_the_log_probability_is_that_of_a_normal_distribution() -> None:
    gaussian = Gaussian(mean=random(*SHAPE, seed=1), deviation=torch.tensor([0.1, 0.7, 2.0]))
    value = gaussian.draw(torch.Generator().manual_seed(3))
    expected = torch.distributions.Normal(gaussian.mean, per_sample(gaussian.deviation, gaussian.mean)).log_prob(value)
    for given in (0, 1):
        found = gaussian.log_probability(value, given=given)
        torch.testing.assert_close(found, expected[:, :, given:].flatten(1).mean(1))


def test_given_frames_have_no_part_in_the_log_probability() -> None:
    gaussian = Gaussian(mean=random(*SHAPE, seed=1), deviation=torch.ones(3))
    value = random(*SHAPE, seed=2)
    elsewhere = value.clone()
    elsewhere[:, :, 0] += 100
    assert torch.equal(gaussian.log_probability(value, given=1), gaussian.log_probability(elsewhere, given=1))


def test_draws_have_the_mean_and_the_deviation() -> None:
    deviation = torch.tensor([0.5, 2.0])
    gaussian = Gaussian(mean=torch.full((2, 8, 5, 32, 32), 3.0), deviation=deviation)
    drawn = gaussian.draw(torch.Generator().manual_seed(0)).flatten(1)
    torch.testing.assert_close(drawn.mean(1), torch.full((2,), 3.0), atol=0.03, rtol=0)
    torch.testing.assert_close(drawn.std(1), deviation, rtol=0.01, atol=0)


@pytest.mark.parametrize("noise", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize(("now", "after"), [(1.0, 0.8), (0.6, 0.5), (0.2, 0.05)])
def test_the_level_of_noise_after_a_step_is_the_paths_own(noise: float, now: float, after: float) -> None:
    """Where the network is right: alpha' clean in the middle, and sigma' in all, part of it kept, part of it fresh."""
    gaussian, clean, residual = step(at(now), at(after), noise=noise)
    alpha, sigma = make_backbone().path(at(after))
    kept = gaussian.mean - per_sample(alpha, clean) * clean
    share = (kept / residual).flatten(1)
    torch.testing.assert_close(share.median(1).values ** 2 + gaussian.deviation**2, sigma**2, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(gaussian.deviation, sigma * math.sin(noise * math.pi / 2))


@pytest.mark.parametrize("name", TRANSITIONS)
def test_without_noise_it_is_the_deterministic_sampler(name: str) -> None:
    backbone = make_backbone()
    condition = Condition(first=random(3, 8, 1, 4, 4, seed=4), text=random(3, 4, 16, seed=5))
    noisy = random(*SHAPE, seed=6)
    times = backbone.schedule(4)
    for number in range(4):
        now, after = times[number].expand(3), times[number + 1].expand(3)
        output = backbone.predict(noisy, now, condition).output
        gaussian = TRANSITIONS[name](backbone, noisy, output, now, after, noise=0.0)
        assert gaussian.deviation.eq(0).all()
        noisy = gaussian.mean.detach()
    expected = sample(backbone, random(*SHAPE, seed=6), condition, steps=4)
    torch.testing.assert_close(noisy[:, :, 1:], expected[:, :, 1:])


def test_a_step_to_the_end_lands_on_the_data() -> None:
    gaussian, clean, _ = step(at(0.3), at(0.0), noise=0.0)
    torch.testing.assert_close(gaussian.mean, clean, atol=1e-5, rtol=1e-4)


def test_with_full_noise_nothing_of_the_old_noise_is_kept() -> None:
    gaussian, clean, _ = step(at(0.6), at(0.5), noise=1.0)
    torch.testing.assert_close(gaussian.mean, 0.5 * clean, atol=1e-3, rtol=0)


def test_samples_may_be_at_different_times() -> None:
    now, after = torch.tensor([0.9, 0.5, 0.2]), torch.tensor([0.7, 0.4, 0.1])
    together, _, _ = step(now, after, noise=0.7)
    for number in range(3):
        alone, _, _ = step(now[number].expand(3), after[number].expand(3), noise=0.7)
        torch.testing.assert_close(together.mean[number], alone.mean[number])
        assert together.deviation[number] == alone.deviation[number]


@pytest.mark.parametrize("noise", [0.7, 1.0])
def test_the_stochastic_equation_keeps_the_samplers_marginals(noise: float) -> None:
    """Of data N(0, c^2): x_t ~ N(0, s^2), s^2 = (1 - t)^2 c^2 + t^2, and the velocity is x (t - (1 - t) c^2) / s^2."""
    assert spread_after(marginal_preserving, noise) == pytest.approx(math.sqrt(variance(0.1)), rel=0.02)


def test_the_path_preserving_step_contracts_what_it_draws() -> None:
    """It keeps the level of noise on clean latents, and these are means: their spread is not made up for."""
    assert spread_after(coefficients_preserving, 0.7) < 0.9 * math.sqrt(variance(0.1))


def variance(time: float) -> float:
    return (1 - time) ** 2 * SPREAD**2 + time**2


def spread_after(transition: Transition, noise: float) -> float:
    """Deviation of samples that went from time .9 to .1 in small steps, with the exact velocity."""
    backbone, generator, steps = make_backbone(), torch.Generator().manual_seed(0), 400
    x = math.sqrt(variance(0.9)) * torch.randn((1, 1, 1, 100, 200), generator=generator)
    times = torch.linspace(0.9, 0.1, steps + 1)
    for now, after in pairwise(times):
        velocity = x * (now - (1 - now) * SPREAD**2) / variance(now.item())
        x = transition(backbone, x, velocity, now[None], after[None], noise=noise).draw(generator)
    return x.std().item()


def test_the_first_step_of_the_stochastic_equation_is_finite() -> None:
    """At time 1 its deviation would be infinite."""
    backbone = make_backbone()
    gaussian = marginal_preserving(backbone, random(*SHAPE), random(*SHAPE, seed=1), at(1.0), at(0.9), noise=0.7)
    torch.testing.assert_close(gaussian.deviation, at(0.7 * math.sqrt(1 / 0.1) * math.sqrt(0.1)))
    assert gaussian.mean.isfinite().all()


def test_the_stochastic_equation_is_refused_where_the_path_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = make_backbone()
    assert transition_of(backbone, "sde") is marginal_preserving
    monkeypatch.setattr(backbone, "path", lambda times: ((1 - times**2).sqrt(), times))
    assert transition_of(backbone, "cps") is coefficients_preserving
    with pytest.raises(ParametersError, match=r"stage3\.transition: sde is of rectified flow, which wan22 is not"):
        transition_of(backbone, "sde")
