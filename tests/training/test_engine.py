"""Blocks that are recomputed, compiled or sharded give the results of blocks that are not."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from components.training.engine import PLAIN, Engine, engine_of, place
from components.training.trainer import Learner, train
from tests.training import learners
from tests.training.twins import SMOKE, assert_same, encode, make_backbone, make_world, surroundings

MAKERS = (learners.stand_in, learners.stage2_blocks, learners.stage2_lora, learners.stage3_nft, learners.stage3_grpo)
Maker = Callable[[Engine], Learner]


def kept(engine: Engine) -> int:
    """Bytes that a forward pass with gradients keeps for its backward pass, of distinct memory, weights aside."""
    backbone = make_backbone(layers=4)
    backbone.transformer.requires_grad_(True)
    place(backbone, engine)
    weights = {value.untyped_storage().data_ptr() for value in backbone.transformer.parameters()}
    found: dict[int, int] = {}

    def pack(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in weights:
            found[storage.data_ptr()] = storage.nbytes()
        return value

    batch = encode(make_world(8)).batch(torch.arange(8))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        output = backbone.predict(batch.clean, torch.full((8,), 0.5), batch.condition, taps=(1, 3))
    assert output.output.requires_grad
    assert all(tap.requires_grad for tap in output.taps)
    return sum(found.values())


def trained(make: Maker, engine: Engine, folder: Path) -> tuple[object, dict[str, Tensor]]:
    learner = make(engine)
    return train(learner, surroundings(folder)), learner.state()


def test_recomputed_blocks_keep_a_fraction_of_the_memory() -> None:
    assert kept(Engine(checkpointing=True)) < kept(PLAIN) / 3


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_recomputed_blocks_train_to_the_same_bytes(make: Maker, tmp_path: Path) -> None:
    """On a CPU the same products are summed in the same order."""
    history, state = trained(make, Engine(checkpointing=True), tmp_path / "recomputed")
    expected, same = trained(make, PLAIN, tmp_path / "plain")
    assert history == expected
    assert_same(state, same)


@pytest.mark.slow
def test_every_block_is_compiled_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiled: list[Any] = []
    compile_ = torch.compile

    def traced(forward: Any) -> Any:  # noqa: ANN401 -- the forward pass of any block
        compiled.append(forward)
        return partial(compile_, backend="eager")(forward)

    monkeypatch.setattr("torch.compile", traced)
    history, _ = trained(learners.stage2_lora, Engine(compile=True), tmp_path / "compiled")
    expected, _ = trained(learners.stage2_lora, PLAIN, tmp_path / "plain")
    assert len(compiled) == 2
    for one, other in zip(history, expected, strict=True):  # type: ignore[call-overload]
        assert one == pytest.approx(other, rel=1e-4)


def test_one_rank_holds_all_even_where_sharding_is_asked_for() -> None:
    backbone = make_backbone()
    before = dict(backbone.transformer.named_parameters())
    place(backbone, Engine(shard=True))
    assert dict(backbone.transformer.named_parameters()) == before


def test_nothing_is_done_unless_it_is_asked_for() -> None:
    assert engine_of(SMOKE.resources) == PLAIN
    wanted = SMOKE.resources.model_copy(update={"checkpointing": True, "shard": True, "compile": True})
    assert engine_of(wanted) == Engine(checkpointing=True, shard=True, compile=True)
