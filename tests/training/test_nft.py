"""DiffusionNFT: the loss is the published formula, and a policy goes where its rewards are."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from components.training import diffusion, nft
from components.training.diffusion import add_noise
from components.training.nft import LEAST_TIME
from components.training.policy import Judged
from tests.training.toys import TOY, ToyPolicy, make_toy, measured, standing, stepping

pytestmark = pytest.mark.usefixtures("in_float32")

ALL = torch.arange(16)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def judged(policy: ToyPolicy, advantage: float) -> Judged:
    """Sixteen samples that are all as good."""
    _, condition = policy.prompts(generator(1))
    latents = policy.noise(len(condition.text), generator(1))
    return Judged(
        latents=latents, condition=condition, advantages=torch.full(latents.shape[::2][:2], advantage), means={}
    )


def moved(policy: ToyPolicy) -> None:
    """The policy has gone on since it was remembered."""
    policy.remember()
    rng = generator(4)
    with torch.no_grad():
        for value in policy.parameters:
            value.add_(0.1 * torch.randn(value.shape, generator=rng))


def estimates(policy: ToyPolicy, of: Judged, seed: int) -> tuple[Tensor, Tensor]:
    """Clean latents that v+ = v and v- = 2 v_old - v stand for, without the given frame; b = 1."""
    rng, backbone = generator(seed), policy.backbone
    times = (LEAST_TIME + (1 - LEAST_TIME) * backbone.sample_times(2, rng)).repeat_interleave(8)
    noised = add_noise(backbone, of.latents, times, policy.noise(2, rng).repeat_interleave(8, 0))
    new = backbone.predict(noised.noisy, times, of.condition).output
    with policy.as_remembered():
        old = backbone.predict(noised.noisy, times, of.condition).output
    t = times.view(-1, 1, 1, 1, 1)
    return tuple((noised.noisy - t * v)[:, :, 1:] for v in (new, 2 * old - new))  # type: ignore[return-value]


def weighted(estimate: Tensor, of: Judged) -> Tensor:
    """|x - x0|^2 of every latent frame over the sample's own mean |x - x0| (B,F)."""
    error = estimate - of.latents[:, :, 1:]
    return error.square().mean((1, 3, 4)) / error.detach().abs().mean((1, 2, 3, 4))[:, None]


@pytest.mark.parametrize(("advantage", "good"), [(5.0, 1.0), (-5.0, 0.0), (0.0, 0.5), (0.75, 0.75)])
def test_the_loss_weighs_both_regressions_by_how_good_a_sample_is(advantage: float, good: float) -> None:
    policy, _ = make_toy()
    moved(policy)
    of = judged(policy, advantage)
    positive, negative = estimates(policy, of, seed=2)
    expected = (good * weighted(positive, of) + (1 - good) * weighted(negative, of)).mean()
    torch.testing.assert_close(loss_of(policy, of, ALL, generator(2)), expected)


def loss_of(policy: ToyPolicy, of: Judged, chosen: Tensor, rng: torch.Generator) -> Tensor:
    return torch.stack(list(nft._losses(policy, of, chosen, rng))).sum()


def gradients(policy: ToyPolicy, loss: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(loss, policy.parameters))


def test_where_all_is_best_the_gradient_is_that_of_the_regression() -> None:
    policy, _ = make_toy()
    moved(policy)
    of = judged(policy, 5.0)
    found = gradients(policy, loss_of(policy, of, ALL, generator(2)))
    expected = gradients(policy, weighted(estimates(policy, of, seed=2)[0], of).mean())
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_samples_that_are_neither_good_nor_bad_pull_nowhere() -> None:
    """At the old policy v+ and v- are the same, and their pulls opposite."""
    policy, _ = make_toy()
    moved(policy)
    policy.remember()
    middle = gradients(policy, loss_of(policy, judged(policy, 0.0), ALL, generator(2)))
    best = gradients(policy, loss_of(policy, judged(policy, 5.0), ALL, generator(2)))
    size = sum(value.abs().sum().item() for value in best)
    assert sum(value.abs().sum().item() for value in middle) < 1e-3 * size


def test_the_worst_samples_pull_the_other_way() -> None:
    policy, _ = make_toy()
    moved(policy)
    policy.remember()
    best = gradients(policy, loss_of(policy, judged(policy, 5.0), ALL, generator(2)))
    worst = gradients(policy, loss_of(policy, judged(policy, -5.0), ALL, generator(2)))
    for one, other in zip(best, worst, strict=True):
        torch.testing.assert_close(one, -other, rtol=1e-2, atol=1e-5)


def test_the_divergence_is_from_the_model_without_its_adapter_not_from_the_old_policy() -> None:
    section = TOY.model_copy(update={"kl": 100.0})
    (policy, _), (free, _) = make_toy(section), make_toy()
    with_kl, without = (loss_of(one, judged(one, 1.0), ALL, generator(2)) for one in (policy, free))
    assert torch.equal(with_kl, without)
    for one in (policy, free):
        moved(one)
        one.remember()
    with_kl, without = (loss_of(one, judged(one, 1.0), ALL, generator(2)) for one in (policy, free))
    assert with_kl > without + 0.1


def test_what_the_samples_of_a_group_have_in_common_cancels() -> None:
    """Two equal samples, one called good and the other bad, say nothing: at the old policy their gradients cancel."""
    policy, _ = make_toy(TOY.model_copy(update={"group_size": 2, "prompts": 8}))
    same = judged(policy, 0.0)
    latents = same.latents[::2].repeat_interleave(2, 0)
    loss = []
    for sign in (0.0, 1.0):
        advantages = (sign * torch.tensor([0.5, -0.5])).repeat(8)[:, None].expand(-1, latents.shape[2])
        of = Judged(latents=latents, condition=same.condition, advantages=advantages, means={})
        loss.append(gradients(policy, loss_of(policy, of, ALL, generator(2))))
    for indifferent, opposed in zip(*loss, strict=True):
        torch.testing.assert_close(opposed, indifferent, rtol=1e-3, atol=1e-6)


def test_a_latent_frame_is_as_good_as_its_own_reward() -> None:
    """One good frame among bad ones: its regression is towards its sample, theirs away."""
    policy, _ = make_toy()
    moved(policy)
    of = judged(policy, -5.0)
    of.advantages[:, 1] = 5.0
    positive, negative = (weighted(estimate, of) for estimate in estimates(policy, of, seed=2))
    expected = torch.cat([positive[:, :1], negative[:, 1:]], 1).mean()
    torch.testing.assert_close(loss_of(policy, of, ALL, generator(2)), expected)


def test_how_many_samples_go_through_the_network_together_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, _ = make_toy(TOY.model_copy(update={"kl": 0.5}))
    moved(policy)
    of = judged(policy, 0.5)
    whole = gradients(policy, loss_of(policy, of, ALL, generator(2)))
    pixels = of.latents[0, 0].numel()
    monkeypatch.setattr(diffusion, "MOST_PIXELS", 5 * pixels)
    assert len(list(nft._losses(policy, of, ALL, generator(2)))) == 4
    for expected, found in zip(whole, gradients(policy, loss_of(policy, of, ALL, generator(2))), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_policy_goes_where_its_rewards_are(sign: float) -> None:
    policy, optimisers = make_toy()
    policy.sign = sign
    before, rng, figures = measured(policy), generator(), []
    for _ in range(4):
        figures.append(nft.iterate(policy, stepping(optimisers), rng))
    assert sign * (measured(policy) - before) > 0.1
    assert figures[-1]["reward_chamfer"] > figures[0]["reward_chamfer"]


def test_an_iteration_is_as_many_steps_as_it_was_told() -> None:
    policy, _ = make_toy(TOY.model_copy(update={"updates": 3, "prompts": 3}))
    steps: list[int] = []

    def count(figures: Mapping[str, Tensor]) -> Mapping[str, float]:
        steps.append(1)
        return standing(figures)

    figures = nft.iterate(policy, count, generator())
    assert len(steps) == 3
    assert sorted(figures) == ["loss", "reward_chamfer"]


def test_an_iteration_is_the_generators() -> None:
    one, same, other = (nft.iterate(make_toy()[0], standing, generator(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other
