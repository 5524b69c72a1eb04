"""CogVideoX's path between data and noise: the thousand noise levels of its training, and what lies between them.

A time t of the protocol stands at the level 1000 t: level 0 is clean, level k is the schedule's discrete timestep
k - 1, so that level 1000, without any signal left (zero terminal SNR), is timestep 999. Between two levels the pair
(alpha, sigma) lies on their chord, put back onto the unit circle.
Sources: Lin et al. 2023, Common diffusion noise schedules and sample steps are flawed; the published scheduler.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from components.errors import ParametersError

LEVELS = 1000  # of training; timesteps are one less
NEAR = 1e-3  # levels: a float32 time is this near to the level it stands for, and is put onto it


@dataclass(frozen=True, kw_only=True)
class NoiseLevels:
    """alpha (1001,) and sigma (1001,) by level, float64, alpha^2 + sigma^2 = 1; ends are (1, 0) and (0, 1) exactly."""

    alpha: Tensor
    sigma: Tensor

    def at(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """alpha and sigma at times, in their shape and type."""
        level = _levels(times)
        below = level.floor().clamp(max=LEVELS - 1).long()
        share = level - below
        alpha, sigma = (
            torch.lerp(table[below], table[below + 1], share)
            for table in (self.alpha.to(times.device), self.sigma.to(times.device))
        )
        length = torch.hypot(alpha, sigma)
        return (alpha / length).to(times.dtype), (sigma / length).to(times.dtype)


def noise_levels(*, beta_start: float, beta_end: float, snr_shift: float) -> NoiseLevels:
    """The levels of scaled-linear betas, their signal-to-noise ratio over `snr_shift`, the last one's set to 0."""
    betas = torch.linspace(beta_start**0.5, beta_end**0.5, LEVELS, dtype=torch.float64).square()
    kept = (1 - betas).cumprod(0)  # alpha squared
    alpha = (kept / (snr_shift + (1 - snr_shift) * kept)).sqrt()
    first, last = alpha[0].clone(), alpha[-1].clone()
    alpha = torch.cat([torch.ones(1, dtype=torch.float64), (alpha - last) * first / (first - last)])
    return NoiseLevels(alpha=alpha, sigma=(1 - alpha.square()).sqrt())


def timesteps(times: Tensor) -> Tensor:
    """What the network is told: the timestep of each time, whole at whole levels, never below 0; float32."""
    return (_levels(times) - 1).clamp(min=0).float()


def trailing(steps: int) -> Tensor:
    """Times (steps + 1,) from 1 down to 0 at even levels, rounded to whole ones."""
    if not 1 <= steps <= LEVELS:
        raise ParametersError(f"sampler steps: {steps} is wrong, expected 1..{LEVELS}: backbone cogvideox has no more")
    even = torch.arange(steps, -1, -1, dtype=torch.float64) * LEVELS / steps
    return (even.round() / LEVELS).float()


def draw(count: int, generator: torch.Generator) -> Tensor:
    """Times (count,) of discrete timesteps, each as likely as any other: as the published training draws them."""
    return torch.randint(1, LEVELS + 1, (count,), generator=generator) / LEVELS


def _levels(times: Tensor) -> Tensor:
    """Levels 0..1000 of times, float64."""
    level = (times.double() * LEVELS).clamp(0, LEVELS)
    whole = level.round()
    return torch.where((level - whole).abs() < NEAR, whole, level)
