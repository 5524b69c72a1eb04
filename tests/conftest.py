"""Every test runs in the project's folder: the graph, the profiles and the data are found from there."""

from pathlib import Path

import pytest
import torch

from tests.precision import compute_in_float32

with torch.device("meta"):  # torch lists what makes tensors when it is first asked; transformers exchanges linspace
    torch.empty(0)  # for a while as it loads, and a list of that moment would lack the real one for ever

PROJECT = Path(__file__).parents[1]
pytest_plugins = ("tests.servers.fixtures",)


@pytest.fixture(autouse=True)
def in_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)


@pytest.fixture
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process computes so, also where the machine has bfloat16."""
    compute_in_float32(monkeypatch)


LONGEST = ("integration", "test_whole_ranges.py", "test_ranks.py")  # of folders and files


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files go first: at the end no process waits for another that has just begun one."""
    items.sort(key=lambda item: not any(name in item.path.parts for name in LONGEST))
