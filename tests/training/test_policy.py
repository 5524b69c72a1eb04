"""The policy and its reader: what is learnt never reaches the ruler, and the old policy is kept exactly."""

import pytest
import torch
from torch import Tensor

from components.backbones.adapters import POLICY, adapter_off, add_adapter
from components.backbones.base import Condition
from components.generate import read_4d
from components.heads import Read4D
from components.training import diffusion
from components.training import policy as policy_module
from components.training.policy import Judged, Policy
from components.training.rewards import advantages
from tests.training.twins import FRAMES, STAGE3, copies, make_model, make_practice

SECTION = STAGE3.model_copy(update={"prompts": 3, "group_size": 4})
NOISE_LEVEL = 0.05


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_policy() -> Policy:
    model = make_model()
    parameters = add_adapter(model.backbone, POLICY, rank=4, seed=1)
    return Policy(model, parameters, make_practice(), SECTION, NOISE_LEVEL)


def stir(policy: Policy, seed: int = 0) -> None:
    """Give the adapter an effect."""
    rng = generator(seed)
    with torch.no_grad():
        for value in policy.parameters:
            value.add_(0.3 * torch.randn(value.shape, generator=rng))


def output(policy: Policy) -> Tensor:
    _, condition = policy.prompts(generator(5))
    noise = policy.noise(12, generator(5))
    return policy.backbone.predict(noise, torch.full((len(noise),), 0.5), condition).output


def test_a_group_shares_its_prompt() -> None:
    numbers, condition = make_policy().prompts(generator())
    assert numbers.view(3, 4).eq(numbers.view(3, 4)[:, :1]).all()
    first = condition.first.view(3, 4, *condition.first.shape[1:])
    assert first.eq(first[:, :1]).all()
    assert torch.equal(condition.first, make_practice().data.latents[numbers][:, :, :1])


def test_prompts_are_the_generators() -> None:
    one, same, other = (make_policy().prompts(generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one[0], same[0])
    assert not torch.equal(one[0], other[0])


def test_a_sample_is_measured_by_the_camera_of_its_clip() -> None:
    practice = make_practice(2)
    condition = practice.data.condition(torch.tensor([0, 1]))
    latents = torch.randn(2, *practice.data.shape, generator=generator())

    def chamfer(intrinsics: Tensor) -> Tensor:
        return policy_module.rewards_of(
            make_model(),
            latents,
            condition,
            truth=practice.truth,
            numbers=torch.tensor([0, 1]),
            intrinsics=intrinsics,
            generator=generator(),
            noise_level=NOISE_LEVEL,
        )["chamfer"]

    same = practice.intrinsics
    other = same.clone()
    other[1, 0, 0] *= 0.5
    before, after = chamfer(same), chamfer(other)
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])


def test_the_reader_does_not_see_the_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading behind a reward is bit for bit that of the model before stage 3."""
    policy = make_policy()
    stir(policy)
    numbers, condition = policy.prompts(generator())
    latents = policy.noise(12, generator())
    readings: list[Read4D] = []

    def keep(read: Read4D, *_: object) -> dict[str, Tensor]:
        readings.append(read)
        return {"chamfer": read.log_depth[:, 1:].mean((2, 3))}

    monkeypatch.setattr(policy_module, "reward_terms", keep)
    policy.judge(latents, numbers, condition, generator())
    expected = read_4d(make_model(), latents, condition, frames=FRAMES, noise_level=NOISE_LEVEL)
    for field in Read4D.__dataclass_fields__:
        assert torch.equal(getattr(readings[0], field), getattr(expected, field)), field
    with adapter_off(policy.backbone, POLICY):
        unadapted = output(policy)
    assert not torch.equal(output(policy), unadapted), "the adapter would have changed it"


def test_rewards_and_advantages_belong_to_their_samples() -> None:
    policy = make_policy()
    numbers, condition = policy.prompts(generator())
    latents = policy.noise(12, generator())
    judged = policy.judge(latents, numbers, condition, generator(3))
    assert judged.latents is latents
    assert sorted(judged.means) == ["reward_centroid", "reward_chamfer", "reward_overlap"]
    latent_frames = latents.shape[2]
    grouped = judged.advantages.view(3, 4, latent_frames)
    torch.testing.assert_close(grouped.mean(1), torch.zeros(3, latent_frames), atol=1e-4, rtol=0)
    assert judged.advantages[:, 0].eq(0).all(), "the first is given"


def test_the_better_sample_of_a_group_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = make_policy()
    numbers, condition = policy.prompts(generator())
    latents = policy.noise(12, generator())
    spans = policy.backbone.frames_of_latent(FRAMES)
    rewards = torch.randn(12, FRAMES - 1, generator=generator(8))
    monkeypatch.setattr(policy_module, "reward_terms", lambda *_: {"chamfer": rewards})
    found = policy.judge(latents, numbers, condition, generator()).advantages
    assert torch.equal(found, advantages({"chamfer": rewards}, SECTION.reward, group=4, spans=spans))
    for number, span in enumerate(spans[1:], 1):
        earned = rewards[:, span.start - 1 : span.stop - 1].mean(1)
        assert torch.equal(found[:, number].view(3, 4).argmax(1), earned.view(3, 4).argmax(1))


def test_judging_asks_for_no_gradient_and_leaves_the_adapter_on() -> None:
    policy = make_policy()
    stir(policy)
    before = output(policy)
    numbers, condition = policy.prompts(generator())
    latents = policy.noise(12, generator())
    assert not policy.judge(latents, numbers, condition, generator()).advantages.requires_grad
    assert torch.equal(output(policy), before)
    assert all(value.requires_grad for value in policy.parameters)


def test_the_anchor_reaches_the_adapter_alone() -> None:
    policy = make_policy()
    stir(policy)
    (loss,) = policy.anchor(generator())
    loss.backward()
    with_gradient = {name for name, value in policy.backbone.transformer.named_parameters() if value.grad is not None}
    assert len(with_gradient) == len(policy.parameters)
    assert all(f".{POLICY}." in name for name in with_gradient)
    assert all(value.grad is None for value in make_model().with_heads.parameters())


def test_how_many_samples_go_through_the_network_together_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = make_policy()
    stir(policy)
    numbers, condition = policy.prompts(generator())
    latents = policy.noise(12, generator())

    def found() -> tuple[Judged, Tensor]:
        anchor = torch.stack(list(policy.anchor(generator()))).sum()
        return policy.judge(latents, numbers, condition, generator(5)), anchor

    judged, anchor = found()
    monkeypatch.setattr(diffusion, "MOST_PIXELS", 5 * latents[0, 0].numel())
    assert len(list(policy.anchor(generator()))) > 1
    in_parts, anchor_in_parts = found()
    torch.testing.assert_close(in_parts.advantages, judged.advantages, rtol=1e-3, atol=1e-4)
    assert in_parts.means == pytest.approx(judged.means, rel=1e-4)
    torch.testing.assert_close(anchor_in_parts, anchor, rtol=1e-5, atol=0)


class TestTheOldPolicy:
    def test_it_is_what_was_remembered(self) -> None:
        policy = make_policy()
        stir(policy, 1)
        old = output(policy)
        policy.remember()
        stir(policy, 2)
        new = output(policy)
        assert not torch.allclose(new, old, atol=1e-2)
        with policy.as_remembered():
            assert torch.equal(output(policy), old)
            assert not output(policy).requires_grad
        assert torch.equal(output(policy), new)
        assert output(policy).requires_grad

    def test_before_it_is_remembered_it_is_the_beginning(self) -> None:
        policy = make_policy()
        begin = output(policy)
        stir(policy)
        with policy.as_remembered():
            assert torch.equal(output(policy), begin)

    def test_an_error_within_leaves_the_new_policy_in_place(self) -> None:
        policy = make_policy()
        policy.remember()
        stir(policy)
        new = copies({str(number): value for number, value in enumerate(policy.parameters)})
        with pytest.raises(KeyError), policy.as_remembered():
            raise KeyError
        assert all(torch.equal(value, new[str(number)]) for number, value in enumerate(policy.parameters))

    def test_a_gradient_that_was_begun_before_is_that_of_the_new_policy(self) -> None:
        policy, other = make_policy(), make_policy()
        for one in (policy, other):
            one.remember()
            stir(one)
        loss = output(policy).square().mean()
        with policy.as_remembered():
            output(policy)
        loss.backward()
        output(other).square().mean().backward()
        for value, expected in zip(policy.parameters, other.parameters, strict=True):
            assert value.grad is not None
            assert expected.grad is not None
            assert torch.equal(value.grad, expected.grad)


def test_a_condition_repeats_its_samples_one_after_the_other() -> None:
    condition = Condition(first=torch.arange(2.0).view(2, 1, 1, 1, 1), text=torch.arange(2.0).view(2, 1, 1))
    assert condition.repeat(2).first.flatten().tolist() == [0, 0, 1, 1]
    assert condition.repeat(2).text.flatten().tolist() == [0, 0, 1, 1]
