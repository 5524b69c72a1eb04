"""One schedule over all optimisers; Muon for the blocks' matrices, AdamW for all else."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from components.backbones.adapters import add_adapter
from components.errors import Phys4dError
from components.training.optimisers import (
    DECAY_FROM,
    LARGEST_NORM,
    LEAST,
    WARM_UP,
    Optimisers,
    adam,
    muon_and_adam,
    schedule,
)
from tests.training.twins import assert_same, copies, make_backbone, make_heads

STEPS = 200


def names_of(member: torch.optim.Optimizer, module: nn.Module) -> set[str]:
    held = {id(value) for group in member.param_groups for value in group["params"]}
    return {name for name, value in module.named_parameters() if id(value) in held}


def of_kind(optimisers: Optimisers, kind: type[torch.optim.Optimizer]) -> torch.optim.Optimizer:
    (member,) = [member for member in optimisers.members if isinstance(member, kind)]
    return member


def test_the_schedule_warms_up_by_equal_steps() -> None:
    assert [schedule(step, STEPS) for step in range(WARM_UP)] == pytest.approx(
        [(step + 1) / WARM_UP for step in range(WARM_UP)]
    )


def test_the_schedule_rests_between_warm_up_and_decay() -> None:
    assert {schedule(step, STEPS) for step in range(WARM_UP, int(DECAY_FROM * STEPS))} == {1.0}


def test_the_schedule_decays_by_equal_steps_and_never_to_nothing() -> None:
    factors = [schedule(step, STEPS) for step in range(int(DECAY_FROM * STEPS), STEPS)]
    falls = [before - after for before, after in pairwise(factors)]
    assert falls[:-2] == pytest.approx([1 / (STEPS * (1 - DECAY_FROM))] * (len(falls) - 2))
    assert min(factors) == factors[-1] == LEAST


@pytest.mark.parametrize("steps", [1, 2, 7, 1000])
def test_the_schedule_is_a_factor_at_any_length(steps: int) -> None:
    assert all(0 < schedule(step, steps) <= 1 for step in range(steps))


def test_muon_gets_the_matrices_of_the_blocks_and_nothing_else() -> None:
    transformer = make_backbone().transformer.requires_grad_(True)
    optimisers = muon_and_adam(transformer, learning_rate=1e-3, muon_learning_rate=0.02)
    muon = names_of(of_kind(optimisers, torch.optim.Muon), transformer)
    assert muon == {name for name, value in transformer.named_parameters() if "blocks." in name and value.ndim == 2}
    assert {"blocks.0.attn1.to_q.weight", "blocks.1.ffn.net.2.weight"} <= muon
    assert not muon & {"proj_out.weight", "condition_embedder.time_proj.weight"}


def test_every_parameter_that_trains_has_one_optimiser_and_the_frozen_have_none() -> None:
    transformer, heads = make_backbone().transformer, make_heads().requires_grad_(True)
    transformer.blocks[-1].requires_grad_(True)
    optimisers = muon_and_adam(
        transformer,
        learning_rate=1e-3,
        muon_learning_rate=0.02,
        others=heads.parameters(),
        others_learning_rate=3e-3,
    )
    held = [id(value) for member in optimisers.members for group in member.param_groups for value in group["params"]]
    training = [*(value for value in transformer.parameters() if value.requires_grad), *heads.parameters()]
    assert sorted(held) == sorted(map(id, training))


def test_heads_are_adams_at_their_own_rate_however_large_their_matrices() -> None:
    transformer, heads = make_backbone().transformer, make_heads(width=64).requires_grad_(True)
    transformer.blocks[-1].requires_grad_(True)
    optimisers = muon_and_adam(
        transformer, learning_rate=1e-3, muon_learning_rate=0.02, others=heads.parameters(), others_learning_rate=3e-3
    )
    rates = {
        group["lr"]
        for member in optimisers.members
        for group in member.param_groups
        if {id(value) for value in group["params"]} & {id(value) for value in heads.parameters()}
    }
    assert rates == {3e-3}


@pytest.mark.parametrize("rank", [4, 64])
def test_an_adapters_matrices_are_adams_at_any_rank(rank: int) -> None:
    backbone = make_backbone()
    add_adapter(backbone, "stage2", rank=rank, seed=0)
    optimisers = muon_and_adam(backbone.transformer, learning_rate=1e-3, muon_learning_rate=0.02)
    assert all(isinstance(member, torch.optim.AdamW) for member in optimisers.members)


def problem() -> tuple[nn.Linear, Optimisers]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = nn.Linear(6, 5)
    members = [adam([layer.bias], 1e-2), torch.optim.Muon([layer.weight], lr=0.1, weight_decay=0.01)]
    return layer, Optimisers(members, clipped=[layer.parameters()])


def update(layer: nn.Linear, optimisers: Optimisers, step: int, *, scale: float = 1.0) -> Tensor:
    x = torch.randn(7, 6, generator=torch.Generator().manual_seed(step))
    (scale * layer(x).square().mean()).backward()
    norm = torch.linalg.vector_norm(
        torch.cat([value.grad.flatten() for value in layer.parameters() if value.grad is not None])
    )
    optimisers.step(schedule(step, 10))
    return torch.as_tensor(norm)


def test_the_state_of_optimisers_comes_back_and_goes_on_with_the_same_bits() -> None:
    layer, optimisers = problem()
    for step in range(3):
        update(layer, optimisers, step)
    state, weights = copies(optimisers.state()), copies(layer.state_dict())
    other, others = problem()
    other.load_state_dict(weights)
    others.load_state(state)
    assert_same(others.state(), state)
    for step in range(3, 6):
        update(layer, optimisers, step)
        update(other, others, step)
    assert_same(other.state_dict(), layer.state_dict())
    assert_same(others.state(), optimisers.state())


def test_a_loaded_state_shares_no_memory_with_what_it_was_loaded_from() -> None:
    layer, optimisers = problem()
    update(layer, optimisers, 0)
    state = copies(optimisers.state())
    kept = copies(state)
    optimisers.load_state(state)
    update(layer, optimisers, 1)
    assert_same(state, kept)


def test_the_state_before_the_first_step_is_empty_and_may_be_loaded() -> None:
    _, optimisers = problem()
    assert optimisers.state() == {}
    optimisers.load_state({})
    assert optimisers.state() == {}


def test_gradients_are_clipped_together_and_then_forgotten() -> None:
    layer = nn.Linear(6, 5)
    optimisers = Optimisers([torch.optim.SGD(layer.parameters(), lr=1.0)], clipped=[layer.parameters()])
    before = copies(layer.state_dict())
    norm = update(layer, optimisers, 0, scale=1000.0)
    moved = torch.cat([(before[name] - value).flatten() for name, value in layer.state_dict().items()])
    assert norm > 100 * LARGEST_NORM
    assert torch.linalg.vector_norm(moved).item() == pytest.approx(LARGEST_NORM * schedule(0, 10), rel=1e-4)
    assert all(value.grad is None for value in layer.parameters())


def test_each_group_is_clipped_by_its_own_norm() -> None:
    """Large gradients of one part leave the steps of the other as they are."""
    quiet, loud = nn.Linear(4, 3), nn.Linear(4, 3)
    groups = [list(quiet.parameters()), list(loud.parameters())]
    optimisers = Optimisers([torch.optim.SGD([*groups[0], *groups[1]], lr=1.0)], clipped=groups)
    before = copies(quiet.state_dict())
    x = torch.ones(2, 4)
    (1e-3 * quiet(x).sum() + 1e3 * loud(x).sum()).backward()
    expected = {name: before[name] - value.grad for name, value in quiet.named_parameters() if value.grad is not None}
    optimisers.step(1.0)
    torch.testing.assert_close(dict(quiet.state_dict()), expected)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_changes_nothing(value: float) -> None:
    layer, optimisers = problem()
    before = copies(layer.state_dict())
    (value * layer(torch.ones(1, 6)).sum()).backward()
    with pytest.raises(Phys4dError, match=r"the gradient's norm is (nan|inf), expected a finite number"):
        optimisers.step(1.0)
    assert_same(layer.state_dict(), before)


def test_a_small_gradient_is_left_as_it_is() -> None:
    layer = nn.Linear(6, 5)
    optimisers = Optimisers([torch.optim.SGD(layer.parameters(), lr=1.0)], clipped=[layer.parameters()])
    before = copies(layer.state_dict())
    norm = update(layer, optimisers, 0, scale=1e-3)
    moved = torch.cat([(before[name] - value).flatten() for name, value in layer.state_dict().items()])
    assert torch.linalg.vector_norm(moved).item() == pytest.approx(norm.item() * schedule(0, 10), rel=1e-3)


def test_the_schedule_scales_the_first_rate_and_not_the_last() -> None:
    layer, optimisers = problem()
    rates = []
    for step in range(3):
        update(layer, optimisers, step)
        rates.append([group["lr"] for member in optimisers.members for group in member.param_groups])
    assert rates == [pytest.approx([1e-2 * schedule(step, 10), 0.1 * schedule(step, 10)]) for step in range(3)]
