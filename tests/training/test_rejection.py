"""Rejection sampling: the best of every group is learned as data, by the diffusion loss that data have."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from components.training import diffusion, rejection
from components.training.diffusion import add_noise, output_error
from components.training.policy import LEAST_TIME, Judged
from components.training.rejection import best_of_groups
from tests.training.toys import TOY, ToyPolicy, make_toy, measured, standing, stepping

ALL = torch.arange(16)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def judged(policy: ToyPolicy, best: dict[int, float]) -> Judged:
    """Sixteen samples in two groups, of which those named have an advantage."""
    _, condition = policy.prompts(generator(1))
    latents = policy.noise(len(condition.text), generator(1))
    advantages = torch.zeros(latents.shape[::2][:2])
    for number, advantage in best.items():
        advantages[number] = advantage
    return Judged(latents=latents, condition=condition, advantages=advantages, means={})


def loss_of(policy: ToyPolicy, of: Judged) -> torch.Tensor:
    return torch.stack(list(rejection._losses(policy, of, ALL, generator(2)))).sum()


@given(st.lists(st.integers(-50, 50), min_size=12, max_size=12), st.sampled_from([2, 3, 4, 6]))
def test_every_sample_stands_for_the_best_of_its_own_group(gains: list[int], group: int) -> None:
    worth = torch.tensor(gains).float()
    best = best_of_groups(torch.arange(12), worth, group=group)
    assert torch.equal(best // group, torch.arange(12) // group)
    assert torch.equal(worth[best], worth.view(-1, group).amax(1).repeat_interleave(group))


def test_groups_may_be_any_of_the_samples() -> None:
    gains = torch.tensor([0.0, 3.0, 9.0, 1.0, 5.0, 2.0])
    assert best_of_groups(torch.tensor([4, 5, 0, 1]), gains, group=2).tolist() == [4, 4, 1, 1]


def test_the_loss_is_the_diffusion_loss_of_the_best() -> None:
    policy, _ = make_toy()
    of = judged(policy, {3: 2.0, 12: 2.0})
    best, rng = torch.tensor([3] * 8 + [12] * 8), generator(2)
    times = policy.backbone.sample_times(16, rng).clamp(min=LEAST_TIME)
    noised = add_noise(policy.backbone, of.latents[best], times, policy.noise(16, rng))
    prediction = policy.backbone.predict(noised.noisy, times, of.condition[best])
    expected = output_error(policy.backbone, of.latents[best], noised, prediction)
    torch.testing.assert_close(loss_of(policy, of), expected)


def test_what_is_not_the_best_teaches_nothing() -> None:
    policy, _ = make_toy()
    of, other = judged(policy, {3: 2.0, 12: 2.0}), judged(policy, {3: 2.0, 12: 2.0, 5: 1.0})
    other.latents[[5, 15]] += 1
    assert torch.equal(loss_of(policy, of), loss_of(policy, other))


def test_how_many_samples_go_through_the_network_together_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, _ = make_toy()
    of = judged(policy, {3: 2.0, 12: 2.0})
    whole = loss_of(policy, of)
    monkeypatch.setattr(diffusion, "MOST_PIXELS", 5 * of.latents[0, 0].numel())
    assert len(list(rejection._losses(policy, of, ALL, generator(2)))) == 4
    torch.testing.assert_close(loss_of(policy, of), whole)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_policy_goes_where_its_rewards_are(sign: float) -> None:
    policy, optimisers = make_toy(rate=2e-2)
    policy.sign = sign
    before, rng = measured(policy), generator()
    for _ in range(8):
        rejection.iterate(policy, stepping(optimisers), rng)
    assert sign * (measured(policy) - before) > 0.05


def test_an_iteration_is_the_generators() -> None:
    one, same, other = (rejection.iterate(make_toy(TOY)[0], standing, generator(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other
