"""Clipped policy gradient: ratios begin at 1, the clip is counted, and a policy goes where its rewards are."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from components.training import diffusion, grpo
from components.training.diffusion import sample
from components.training.transitions import TRANSITIONS
from tests.training import toys
from tests.training.toys import TOY, ToyPolicy, make_toy, measured, standing, stepping

pytestmark = pytest.mark.usefixtures("in_float32")

ALL = torch.arange(16)
SECTION = TOY.model_copy(update={"algorithm": "grpo", "clip": 1e-3, "updates": 1})


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stir(policy: ToyPolicy) -> None:
    rng = generator(4)
    with torch.no_grad():
        for value in policy.parameters:
            value.add_(0.05 * torch.randn(value.shape, generator=rng))


def test_all_steps_but_the_last_are_drawn() -> None:
    policy, _ = make_toy(SECTION)
    _, condition = policy.prompts(generator(1))
    noise = policy.noise(len(condition.text), generator(1))
    path, latents = grpo._rollout(policy, noise, condition, generator(2))
    assert len(path) == SECTION.sampler_steps - 1
    times = policy.backbone.schedule(SECTION.sampler_steps)
    for number, transition in enumerate(path):
        assert transition.now.eq(times[number]).all()
        assert transition.after.eq(times[number + 1]).all()
        assert torch.equal(transition.noisy, noise if number == 0 else path[number - 1].drawn)
    assert torch.equal(latents[:, :, :1], condition.first)


@pytest.mark.parametrize("window", [1, 2, 3])
def test_within_a_window_alone_steps_are_drawn(window: int) -> None:
    policy, _ = make_toy(SECTION.model_copy(update={"window": window}))
    _, condition = policy.prompts(generator(1))
    noise = policy.noise(len(condition.text), generator(1))
    times = policy.backbone.schedule(SECTION.sampler_steps)
    starts = set()
    for seed in range(12):
        path, _ = grpo._rollout(policy, noise, condition, generator(seed))
        numbers = [int((times == transition.now[0]).nonzero()) for transition in path]
        assert numbers == list(range(numbers[0], numbers[0] + window))
        starts.add(numbers[0])
        if numbers[0]:  # before it, the sampler is the deterministic one
            again, _ = grpo._rollout(policy, noise, condition, generator(seed + 100))
            assert again[0].now[0] != path[0].now[0] or torch.equal(again[0].noisy, path[0].noisy)
    assert starts == set(range(SECTION.sampler_steps - window))


def test_with_hardly_any_noise_a_rollout_is_the_deterministic_sampler() -> None:
    policy, _ = make_toy(SECTION.model_copy(update={"noise": 1e-6}))
    _, condition = policy.prompts(generator(1))
    noise = policy.noise(len(condition.text), generator(1))
    _, latents = grpo._rollout(policy, noise, condition, generator(2))
    expected = sample(policy.backbone, noise, condition, steps=SECTION.sampler_steps)
    torch.testing.assert_close(latents, expected, atol=0.05, rtol=0)


@pytest.mark.parametrize("name", TRANSITIONS)
def test_the_ratio_is_one_before_the_first_step(name: str) -> None:
    policy, _ = make_toy(SECTION.model_copy(update={"transition": name}))
    stir(policy)
    _, condition = policy.prompts(generator(1))
    noise = policy.noise(len(condition.text), generator(1))
    path, _ = grpo._rollout(policy, noise, condition, generator(2))
    for transition in path:
        for chosen in (ALL, ALL[3:8].flip(0)):
            ratio = grpo._ratio(policy, transition, condition, chosen)
            torch.testing.assert_close(ratio, torch.ones(len(chosen)), atol=1e-6, rtol=0)
            assert ratio.requires_grad


def test_the_ratio_grows_where_the_policy_comes_nearer_to_what_was_drawn() -> None:
    policy, optimisers = make_toy(SECTION)
    _, condition = policy.prompts(generator(1))
    noise = policy.noise(len(condition.text), generator(1))
    path, _ = grpo._rollout(policy, noise, condition, generator(2))
    for _ in range(3):
        (-grpo._ratio(policy, path[1], condition, ALL).mean()).backward()
        optimisers.step(1.0)
    assert grpo._ratio(policy, path[1], condition, ALL).mean() > 1.0


def test_the_divergence_is_nothing_before_a_step_and_something_after() -> None:
    policy, _ = make_toy(SECTION)
    _, condition = policy.prompts(generator(1))
    noise = policy.noise(len(condition.text), generator(1))
    path, _ = grpo._rollout(policy, noise, condition, generator(2))
    assert grpo._divergence(policy, path[0], condition, ALL).item() == 0
    stir(policy)
    divergence = grpo._divergence(policy, path[0], condition, ALL)
    assert divergence.item() > 1e-6
    divergence.backward()
    assert all(value.grad is not None for value in policy.parameters)


def test_the_divergence_is_that_of_two_normal_distributions() -> None:
    policy, _ = make_toy(SECTION)
    _, condition = policy.prompts(generator(1))
    noise = policy.noise(len(condition.text), generator(1))
    path, _ = grpo._rollout(policy, noise, condition, generator(2))
    reference = grpo._of_policy(policy, path[1], condition, ALL)
    stir(policy)
    new = grpo._of_policy(policy, path[1], condition, ALL)
    deviation = new.deviation.view(-1, 1, 1, 1, 1)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(new.mean, deviation), torch.distributions.Normal(reference.mean, deviation)
    )[:, :, 1:].mean()
    torch.testing.assert_close(grpo._divergence(policy, path[1], condition, ALL), expected)


def test_before_the_first_step_nothing_is_clipped() -> None:
    policy, _ = make_toy(SECTION)
    figures = grpo.iterate(policy, standing, generator())
    assert figures["clipped"] == 0
    assert figures["ratio_shift"] == pytest.approx(0, abs=1e-6)


def test_how_many_samples_go_through_the_network_together_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    section = SECTION.model_copy(update={"kl": 0.5})

    def found() -> tuple[Mapping[str, float], list[Tensor]]:
        policy, _ = make_toy(section)
        seen: list[list[Tensor]] = []

        def keep(figures: Mapping[str, Tensor]) -> Mapping[str, float]:
            seen.append([value.grad.clone() for value in policy.parameters if value.grad is not None])
            return standing(figures)

        return grpo.iterate(policy, keep, generator()), seen[0]

    whole, gradients = found()
    monkeypatch.setattr(diffusion, "MOST_PIXELS", 3 * make_toy(section)[0].noise(1, generator())[0, 0].numel())
    in_parts, gradients_in_parts = found()
    assert in_parts == pytest.approx(whole, rel=1e-4, abs=1e-7)  # of ratios near 1, in float32
    for expected, one in zip(gradients, gradients_in_parts, strict=True):
        torch.testing.assert_close(one, expected, rtol=1e-3, atol=1e-6)


def test_the_share_of_clipped_ratios_is_counted() -> None:
    """The first of two updates is at the old policy, the second far from it: half of all ratios are clipped."""
    policy, optimisers = make_toy(SECTION.model_copy(update={"updates": 2, "clip": 1e-6}), rate=0.1)
    figures = grpo.iterate(policy, stepping(optimisers), generator())
    assert figures["clipped"] == pytest.approx(0.5, abs=0.1)
    assert figures["ratio_shift"] > 1e-4


@pytest.mark.parametrize(
    ("shift", "advantage", "pulls"), [(2, 1, False), (2, -1, True), (0.5, 1, True), (0.5, -1, False)]
)
def test_a_step_that_went_far_enough_pulls_no_further(
    shift: float, advantage: float, pulls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good step that has become likely enough is left alone, one that has become unlikely is not."""
    policy, _ = make_toy(SECTION)
    stir(policy)
    ratio = grpo._ratio
    monkeypatch.setattr(grpo, "_ratio", lambda *of: shift * ratio(*of))
    monkeypatch.setattr(toys, "advantages", lambda *_, **__: torch.full((16, 3), float(advantage)))
    grpo.iterate(policy, standing, generator())
    gradient = sum(value.grad.abs().sum().item() for value in policy.parameters if value.grad is not None)
    assert (gradient > 0) == pulls


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_policy_goes_where_its_rewards_are(sign: float) -> None:
    policy, optimisers = make_toy(SECTION.model_copy(update={"times": 3, "clip": 0.1}))
    policy.sign = sign
    before, rng, figures = measured(policy), generator(), []
    for _ in range(5):
        figures.append(grpo.iterate(policy, stepping(optimisers), rng))
    assert sign * (measured(policy) - before) > 0.1
    assert figures[-1]["reward_chamfer"] > figures[0]["reward_chamfer"]


def test_a_heavy_divergence_holds_the_policy_back() -> None:
    apart = []
    for kl in (0.0, 1e4):
        policy, optimisers = make_toy(SECTION.model_copy(update={"times": 2, "clip": 0.1, "kl": kl}))
        before, rng = measured(policy), generator()
        for _ in range(3):
            grpo.iterate(policy, stepping(optimisers), rng)
        apart.append(abs(measured(policy) - before))
    assert apart[1] < apart[0] / 2


def test_an_iteration_is_the_generators() -> None:
    one, same, other = (grpo.iterate(make_toy(SECTION)[0], standing, generator(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other
