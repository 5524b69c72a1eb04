"""Generalised DDIM on CogVideoX's path: diffusers' own step with eta, Bayes' rule, and torch's normal distribution."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from components.backbones.base import Backbone, per_sample
from components.backbones.cogvideox.backbone import CogVideoX
from components.backbones.cogvideox.path import noise_levels
from components.training.diffusion import add_noise
from components.training.transitions import Gaussian, coefficients_preserving, eta_ddim
from tests.backbones.cogvideox.tiny import SCHEDULE, Part, make_scheduler, make_transformer
from tests.training.twins import make_backbone as make_wan

SHAPE = (3, 4, 3, 4, 6)
STEPS = 5
PAIRS = [(1.0, 0.8), (0.6, 0.5), (0.2, 0.05), (0.001, 0.0)]


def drawn(seed: int) -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def at(time: float) -> Tensor:
    return torch.full(SHAPE[:1], time)


def make_cog() -> CogVideoX:
    levels = noise_levels(beta_start=SCHEDULE["beta_start"], beta_end=SCHEDULE["beta_end"], snr_shift=1.0)
    return CogVideoX(make_transformer(num_layers=1), size="tiny", levels=levels)


@pytest.fixture(scope="module", params=["cogvideox", "wan22"])
def backbone(request: pytest.FixtureRequest) -> Backbone:
    """Both paths: the variance-preserving one and the straight one."""
    return make_cog() if request.param == "cogvideox" else make_wan()


def step(backbone: Backbone, now: float, after: float, *, noise: float) -> tuple[Gaussian, Tensor, Tensor]:
    """A step of a network that is right, from the noisy latents of (clean, noisy) to what lies after it."""
    clean, residual = drawn(1), drawn(2)
    noisy = add_noise(backbone, clean, at(now), residual).noisy
    output = backbone.target(clean, residual, at(now))
    return eta_ddim(backbone, noisy, output, at(now), at(after), noise=noise), clean, noisy


def test_a_draw_is_that_of_diffusers_ddim_with_eta() -> None:
    """Its general scheduler knows eta but not this path: it is given the levels."""
    cog, scheduler = make_cog(), _general_scheduler()
    noisy, output, fresh = drawn(1), drawn(2), drawn(3)
    for timestep, (now, after) in zip(scheduler.timesteps, pairwise(cog.schedule(STEPS)), strict=True):
        for eta in (0.0, 0.4, 1.0):
            expected = scheduler.step(output, int(timestep), noisy, eta=eta, variance_noise=fresh).prev_sample
            gaussian = eta_ddim(cog, noisy, output, now.expand(3), after.expand(3), noise=eta)
            found = gaussian.mean + per_sample(gaussian.deviation, noisy) * fresh
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_the_variance_is_the_schedulers() -> None:
    cog, scheduler = make_cog(), make_scheduler()
    scheduler.set_timesteps(STEPS)
    for timestep, (now, after) in zip(scheduler.timesteps, pairwise(cog.schedule(STEPS)), strict=True):
        deviation = eta_ddim(cog, drawn(1), drawn(2), now.expand(3), after.expand(3), noise=0.7).deviation
        expected = 0.49 * scheduler._get_variance(timestep, timestep - 1000 // STEPS)
        torch.testing.assert_close(deviation.double().square(), expected.double().expand(3), atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize(("now", "after"), PAIRS[1:3])
def test_with_full_noise_it_is_the_posterior_of_the_forward_process(
    backbone: Backbone, now: float, after: float
) -> None:
    """Bayes: given the clean latents, x' ~ N(alpha' clean, sigma'^2) and x | x' ~ N(ratio x', rest), a product."""
    gaussian, clean, noisy = step(backbone, now, after, noise=1.0)
    (alpha, sigma), (alpha_after, sigma_after) = (backbone.path(at(time)) for time in (now, after))
    ratio = alpha / alpha_after
    rest = sigma.square() - (ratio * sigma_after).square()
    precision = 1 / sigma_after.square() + ratio.square() / rest
    prior = per_sample(alpha_after / sigma_after.square(), clean) * clean
    mean = (prior + per_sample(ratio / rest, noisy) * noisy) / per_sample(precision, noisy)
    torch.testing.assert_close(gaussian.mean, mean, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(gaussian.deviation, precision.rsqrt(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("now", "after"), PAIRS)
def test_the_level_of_noise_after_a_step_is_the_paths_own(
    backbone: Backbone, now: float, after: float, noise: float
) -> None:
    gaussian, clean, _ = step(backbone, now, after, noise=noise)
    alpha, sigma = backbone.path(at(after))
    kept = gaussian.mean - per_sample(alpha, clean) * clean
    share = (kept * drawn(2)).flatten(1).sum(1) / drawn(2).square().flatten(1).sum(1)
    torch.testing.assert_close(share.square() + gaussian.deviation.square(), sigma.square(), atol=1e-5, rtol=1e-4)


def test_the_log_probability_is_that_of_a_normal_distribution() -> None:
    cog = make_cog()
    now, after = torch.tensor([1.0, 0.6, 0.2]), torch.tensor([0.8, 0.5, 0.1])
    gaussian = eta_ddim(cog, drawn(1), drawn(2), now, after, noise=0.7)
    value = gaussian.draw(torch.Generator().manual_seed(4))
    expected = torch.distributions.Normal(gaussian.mean, per_sample(gaussian.deviation, value)).log_prob(value)
    found = gaussian.log_probability(value, given=cog.given)
    torch.testing.assert_close(found, expected.flatten(1).mean(1), atol=1e-5, rtol=1e-5)


def test_without_any_signal_left_and_at_the_end_a_step_is_of_numbers(backbone: Backbone) -> None:
    first, clean, _ = step(backbone, 1.0, 0.8, noise=0.7)
    _, sigma = backbone.path(at(0.8))
    torch.testing.assert_close(first.deviation, 0.7 * sigma)
    assert torch.isfinite(first.mean).all()
    last, clean, _ = step(backbone, 0.2, 0.0, noise=0.7)
    assert last.deviation.eq(0).all()
    torch.testing.assert_close(last.mean, clean, atol=1e-5, rtol=1e-5)


def test_both_transitions_are_the_same_sampler_without_noise(backbone: Backbone) -> None:
    places = (drawn(1), drawn(2), at(0.6), at(0.5))
    found, expected = (make(backbone, *places, noise=0.0) for make in (eta_ddim, coefficients_preserving))
    assert torch.equal(found.mean, expected.mean)


def _general_scheduler() -> Part:
    from diffusers import DDIMScheduler

    of_cogvideox = make_scheduler()
    scheduler = DDIMScheduler(prediction_type="v_prediction", clip_sample=False, timestep_spacing="trailing")
    scheduler.alphas_cumprod, scheduler.final_alpha_cumprod = of_cogvideox.alphas_cumprod, torch.tensor(1.0)
    scheduler.set_timesteps(STEPS)
    return scheduler
