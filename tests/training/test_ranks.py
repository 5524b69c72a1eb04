"""Ranks that train together end as one process does, up to the rounding of sums; alone, a rank is that process.

Tolerance: 1e-4 of a figure (3e-5 was measured in GRPO, whose ratios are differences of large numbers, and 1e-6
elsewhere), and a fifth of how far a tensor of weights has moved: 12 % was measured, where a gradient is of low rank and
Muon makes the other directions, which are rounding, as large. Without Muon it is 1e-3.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from components.errors import ParametersError
from components.training import policy as policy_module
from components.training import ranks
from components.training import stand_in as stand_in_module
from components.training.checkpoints import CHECKPOINT_FILE
from components.training.stage3 import Reinforcement
from components.training.trainer import train
from tests.training.learners import stage1, stage2_blocks, stage3_grpo, stage3_nft, stand_in
from tests.training.rank import MAKERS, STOPPED
from tests.training.twins import (
    STAGE3,
    assert_same,
    copies,
    encode,
    make_backbone,
    make_model,
    make_practice,
    make_world,
    surroundings,
)

pytestmark = pytest.mark.usefixtures("in_float32")


@dataclass(frozen=True, kw_only=True)
class End:
    """What a rank ended with."""

    history: list[Mapping[str, float]]
    logged: list[int]
    state: Mapping[str, Tensor]


def read_end(path: Path) -> End:
    with safe_open(path, "pt") as file:
        header = file.metadata()
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- not a mapping
    return End(history=json.loads(header["history"]), logged=json.loads(header["logged"]), state=state)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that two ranks on loopback make."""
    folder = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    result = subprocess.run(
        [*command, "-m", "tests.training.rank", str(folder)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[-4000:]
    return folder


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in_module, "AVERAGE_FROM", -1)
    monkeypatch.setattr(policy_module, "ANCHOR_BATCH", 2)


@pytest.mark.slow
@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", MAKERS)
def test_two_ranks_have_the_losses_and_the_weights_of_one_process(name: str, two: Path, tmp_path: Path) -> None:
    learner = MAKERS[name]()
    before = copies(learner.state())
    history = train(learner, surroundings(tmp_path))
    found = read_end(two / f"{name}-0.safetensors")
    assert len(found.history) == len(history)
    for ours, theirs in zip(history, found.history, strict=True):
        assert theirs == pytest.approx(ours, rel=1e-4, abs=1e-6)
    for key, value in learner.state().items():
        if key.startswith(("module/", "average/")):
            apart, moved = (torch.linalg.vector_norm(value - other) for other in (found.state[key], before[key]))
            assert apart < 0.2 * moved, key


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_ranks_agree_bit_for_bit_and_one_of_them_logs(name: str, two: Path) -> None:
    first, second = (read_end(two / f"{name}-{rank}.safetensors") for rank in range(2))
    assert first.history == second.history
    assert_same(first.state, second.state)
    assert first.logged == list(range(len(first.history)))
    assert second.logged == []


@pytest.mark.slow
@pytest.mark.parametrize("name", STOPPED)
def test_a_signal_to_one_rank_stops_all_after_one_save_and_all_go_on(name: str, two: Path) -> None:
    folder = two / f"{name}-stopped"
    assert [path.name for path in (folder / "work").iterdir()] == [CHECKPOINT_FILE]
    for rank in range(2):
        assert "stopped at step 3 of" in (folder / f"stopped-{rank}.txt").read_text()
        whole = read_end(two / f"{name}-{rank}.safetensors")
        again = read_end(folder / f"stopped-{rank}.safetensors")
        assert again.history == whole.history
        assert_same(again.state, whole.state)


@pytest.mark.slow
def test_a_sharded_model_is_written_whole(two: Path) -> None:
    """And while it trains, each rank holds half of it."""
    for rank in range(2):
        with safe_open(two / f"written-{rank}.safetensors", "pt") as file:
            held, whole = (int(file.metadata()[name]) for name in ("held", "whole"))
        assert held == pytest.approx(whole / 2, rel=0.01)
        assert_same(load_file(two / f"written-{rank}.safetensors"), load_file(two / f"state-{rank}.safetensors"))


class TestShares:
    @pytest.fixture(params=[2, 4])
    def size(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
        monkeypatch.setattr(ranks, "size", lambda: request.param)
        return int(request.param)

    def test_the_shares_of_all_ranks_are_the_whole_in_its_order(
        self, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parts = []
        for number in range(size):
            monkeypatch.setattr(ranks, "rank", lambda number=number: number)
            parts.append(ranks.share_of(8).of(torch.arange(8)))
        assert torch.cat(parts).tolist() == list(range(8))

    def test_each_rank_has_as_many_of_the_first_ones(self, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
        found = []
        for number in range(size):
            monkeypatch.setattr(ranks, "rank", lambda number=number: number)
            mine = ranks.share_of_both(4, 12).of(torch.arange(12)).tolist()
            assert all(value < 4 for value in mine[: 4 // size])
            assert all(value >= 4 for value in mine[4 // size :])
            found += mine
        assert sorted(found) == list(range(12))

    def test_the_noise_of_all_ranks_is_what_one_process_draws(self, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = torch.randn((8, 2, 3), generator=torch.Generator().manual_seed(1))
        parts = []
        for number in range(size):
            monkeypatch.setattr(ranks, "rank", lambda number=number: number)
            parts.append(ranks.share_of(8).noise((2, 3), torch.Generator().manual_seed(1)))
        assert torch.equal(torch.cat(parts), whole)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (stand_in, "prepare.batch_size: 4"),
        (stage1, "stage1.batch_size: 4"),
        (stage2_blocks, "stage2.batch_size: 4"),
        (stage3_nft, "stage3.group_size: 2"),
        (stage3_grpo, "stage3.group_size: 2"),
    ],
)
def test_a_batch_that_ranks_cannot_share_is_named_with_the_nearest_that_they_can(
    make: object, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranks, "size", lambda: 3)
    with pytest.raises(ParametersError, match=rf"{field}.* cannot be shared by 3 ranks: write \d+"):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("algorithm", ["nft", "grpo"])
def test_a_group_that_ranks_can_share_is_taken(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "size", lambda: 3)
    for group in range(2, 20):
        section = STAGE3.model_copy(update={"prompts": 2, "updates": 2, "group_size": group, "algorithm": algorithm})
        refused = group % 3 != 0
        with pytest.raises(ParametersError) if refused else nullcontext():
            Reinforcement(make_model(), make_practice(), section, noise_level=0.05, seed=1)


def test_the_nearest_sizes_are_multiples_around_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "size", lambda: 4)
    with pytest.raises(ParametersError, match=r"a\.b: 10 .*: write 8 or 12, or another resources\.ranks"):
        ranks.check_shared(10, field="a.b")
    with pytest.raises(ParametersError, match=r"a\.b: 3 .*: write 4, or"):
        ranks.check_shared(3, field="a.b")
    ranks.check_shared(12, field="a.b")


def test_alone_everything_is_as_it_is() -> None:
    values = torch.arange(6.0)
    assert (ranks.size(), ranks.rank(), ranks.leads()) == (1, 0, True)
    assert ranks.gather(values) is values
    assert ranks.any_of(True, False) == (True, False)
    assert ranks.rounded_up(7) == 7
    ranks.average_([values])
    assert values.tolist() == list(range(6))


def test_the_learners_of_this_world_are_drawn_whole() -> None:
    """A share of a drawn batch is those rows of it, captions dropped alike."""
    data = encode(make_world(8))
    whole = data.draw(8, torch.Generator().manual_seed(3), caption_dropout=0.5)
    share = ranks.Share(whole=8, index=slice(4, 8))
    numbers, part = data.draw(8, torch.Generator().manual_seed(3), caption_dropout=0.5, share=share)
    assert torch.equal(numbers, whole[0][4:])
    assert torch.equal(part.clean, whole[1].clean[4:])
    assert torch.equal(part.condition.text, whole[1].condition.text[4:])
    assert_same(
        copies({"noise": part.noise(torch.Generator().manual_seed(4))}),
        {"noise": whole[1].noise(torch.Generator().manual_seed(4))[4:]},
    )
    assert make_backbone().given == 1
