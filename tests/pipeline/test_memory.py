"""Memory around a stage: what ran out of it ends in one line of advice, all other errors as they are."""

import pytest
import torch

from components.errors import ExitCode, ParametersError, Phys4dError
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.pipeline.memory import PLANNED, is_out_of_memory, memory_watched
from components.planning import machine, plan
from components.planning.works import WORKS

SMOKE = parse_params(profile_values("smoke"), source="smoke")
WAN = {"backbone": "wan22"}


@pytest.fixture(autouse=True)
def advised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own tests search for it."""
    monkeypatch.setattr(plan, "advice", lambda *_: "lower stage1.batch_size to 1")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
        MemoryError(),
    ],
)
def test_every_way_of_running_out_ends_with_advice(error: Exception) -> None:
    assert is_out_of_memory(error)
    said = r"stage1@wan22: out of memory, .*: end other programs, or "
    with pytest.raises(Phys4dError, match=said) as raised, memory_watched("stage1", WAN, SMOKE):
        raise error
    assert raised.value.code == ExitCode.FAILED
    assert raised.value.__cause__ is error
    assert "\n" not in str(raised.value)


def test_a_real_allocation_that_fails_is_recognised() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(raised.value)


def test_other_errors_stay_as_they_are() -> None:
    for error in (RuntimeError("shapes differ"), ValueError("memory")):
        with pytest.raises(type(error)) as raised, memory_watched("stage1", WAN, SMOKE):
            raise error
        assert raised.value is error


def test_a_stage_without_a_model_is_not_planned(capsys: pytest.CaptureFixture[str]) -> None:
    with memory_watched("simulate", {"split": "train"}, SMOKE):
        pass
    assert capsys.readouterr().err == ""
    said = r"simulate: out of memory: .* lower resources.processes"
    with pytest.raises(Phys4dError, match=said), memory_watched("simulate", {"split": "train"}, SMOKE):
        raise MemoryError


def test_a_stage_that_cannot_fit_is_refused_with_bad_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_ram", lambda: 10**8)
    with pytest.raises(ParametersError, match="stage1@wan22: needs about"), memory_watched("stage1", WAN, SMOKE):
        pytest.fail("it ran")


def test_every_stage_that_can_be_estimated_is_planned() -> None:
    assert set(PLANNED) == set(WORKS)
