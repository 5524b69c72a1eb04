"""The ledger counts bytes of storages: what is alive, what waits for backward, with values and without."""

import pytest
import torch
from torch import Tensor, nn

from components.planning.ledger import LONG, Ledger, bytes_of, without_values

FLOAT = 4


def test_it_counts_what_is_alive_and_the_most_there_was() -> None:
    with Ledger() as ledger:
        kept = torch.zeros(100)
        passing = torch.zeros(300)
        view = kept[:10]
        assert ledger.alive == 400 * FLOAT
        del passing
        assert (ledger.alive, ledger.peak) == (100 * FLOAT, 400 * FLOAT)
        assert len(view) == 10


def test_what_waits_for_backward_is_inputs_of_products_once_each() -> None:
    """y = (x w)^2 keeps x w for the square, x and w for the product; w and x are held already."""
    x, w = torch.ones(8, 16), nn.Parameter(torch.ones(16, 4))
    with Ledger() as ledger:
        x, w = x.clone(), nn.Parameter(w.detach().clone())
        ledger.hold()
        with torch.autograd.graph.saved_tensors_hooks(ledger.keep, lambda tensor: tensor):
            loss = (x @ w).square().sum()
            assert ledger.waiting == 8 * 4 * FLOAT
            loss.backward()
        assert ledger.waiting == 0
        assert ledger.most_waiting == 8 * 4 * FLOAT


def test_without_values_a_thousand_gigabytes_cost_nothing() -> None:
    with without_values(fused_attention=False), Ledger() as ledger:
        large = torch.zeros(250_000_000_000)
        assert ledger.alive == bytes_of([large]) == 10**12


def test_what_is_known_of_an_operation_costs_as_much_as_what_was_not() -> None:
    """_unsafe_view gives the memory of its argument, and does not say so: matrix products of many axes end with it."""
    for _ in range(2):
        with without_values(fused_attention=False), Ledger() as ledger:
            values = torch.zeros(4, 25)
            flat = torch.ops.aten._unsafe_view(values, [100])
            product = flat + flat
            assert ledger.alive == bytes_of([values, flat, product]) == 2 * 100 * FLOAT


def test_questions_about_values_are_answered() -> None:
    with without_values(fused_attention=False):
        values = torch.randn(5, generator=torch.Generator().manual_seed(0))
        assert bool(torch.isfinite(values.sum()))
        assert values.sum().item() == 1.0
        assert values[:2].tolist() == [1.0, 1.0]
        assert values[values > 0].shape == (5,)
        assert torch.arange(1, 4).mul(values[:3] > 0).amax(0).long().unsqueeze(0).tolist() == [LONG]
        assert torch.randperm(3, generator=torch.Generator()).tolist() == [0, 1, 2]


@pytest.mark.parametrize("fused", [False, True])
def test_an_accelerators_attention_keeps_no_matrix_of_all_pairs(fused: bool) -> None:
    tokens, width = 512, 16
    with without_values(fused_attention=fused), Ledger() as ledger:
        q, k, v = (torch.randn(1, 1, tokens, width, requires_grad=True) for _ in range(3))
        ledger.hold()
        with torch.autograd.graph.saved_tensors_hooks(ledger.keep, lambda tensor: tensor):
            out: Tensor = nn.functional.scaled_dot_product_attention(q, k, v)
            pairs = ledger.waiting >= tokens * tokens * FLOAT
        assert out.shape == (1, 1, tokens, width)
    assert pairs is not fused
