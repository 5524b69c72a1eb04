"""How tensors are computed: bfloat16 where it is fast, plain attention on a CPU, all cores of a stage."""

from collections.abc import Iterator

import pytest
import torch

from components.compute import device, has_fast_bfloat16, mixed_precision, use_cores
from components.params import Resources

RESOURCES = Resources(processes=2, threads=1, ranks=1, trainings=2, checkpointing=False, shard=False, compile=False)


@pytest.fixture
def threads() -> Iterator[None]:
    """Puts torch's number of threads back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """No accelerator, whatever the machine has."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


def product() -> torch.Tensor:
    return torch.ones(4, 4) @ torch.ones(4, 4)


@pytest.mark.usefixtures("threads")
def test_training_uses_the_cores_of_all_processes() -> None:
    use_cores(RESOURCES)
    assert torch.get_num_threads() == 2
    use_cores(RESOURCES.model_copy(update={"processes": 1}))
    assert torch.get_num_threads() == 1


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("processes", "beside", "each"), [(2, 2, 1), (8, 2, 4), (8, 3, 2), (1, 2, 1)])
def test_trainings_side_by_side_share_the_cores(processes: int, beside: int, each: int) -> None:
    use_cores(RESOURCES.model_copy(update={"processes": processes}), beside=beside)
    assert torch.get_num_threads() == each


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("ranks", "each"), [(2, 4), (3, 2), (16, 1)])
def test_ranks_of_one_machine_share_its_cores(ranks: int, each: int) -> None:
    use_cores(RESOURCES.model_copy(update={"processes": 8, "ranks": ranks}))
    assert torch.get_num_threads() == each


@pytest.mark.usefixtures("cpu")
@pytest.mark.parametrize(
    ("tiles", "vectors", "dtype"),
    [(True, False, torch.bfloat16), (False, True, torch.bfloat16), (False, False, torch.float32)],
)
def test_products_are_in_bfloat16_only_where_the_processor_has_them(
    monkeypatch: pytest.MonkeyPatch, tiles: bool, vectors: bool, dtype: torch.dtype
) -> None:
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: tiles)
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: vectors)
    assert has_fast_bfloat16() is (tiles or vectors)
    with mixed_precision():
        assert product().dtype == dtype
    assert product().dtype == torch.float32


@pytest.mark.usefixtures("cpu")
def test_attention_on_a_cpu_is_plain_products_inside_and_as_before_outside() -> None:
    assert device() == torch.device("cpu")
    with mixed_precision():
        assert torch.backends.cuda.math_sdp_enabled()
        assert not torch.backends.cuda.flash_sdp_enabled()
    assert torch.backends.cuda.flash_sdp_enabled()


@pytest.mark.usefixtures("cpu")
def test_precision_is_put_back_after_an_error() -> None:
    with pytest.raises(ValueError, match="inside"), mixed_precision():
        raise ValueError("inside")
    assert not torch.is_autocast_enabled("cpu")
    assert torch.backends.cuda.flash_sdp_enabled()


@pytest.mark.parametrize("available", [True, False])
def test_an_accelerator_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch, available: bool) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: available)
    assert device().type == ("cuda" if available else "cpu")
