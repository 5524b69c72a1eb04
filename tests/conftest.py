"""Every test runs in the project's folder: the graph, the profiles and the data are found from there."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
pytest_plugins = ("tests.servers.fixtures",)


@pytest.fixture(autouse=True)
def in_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
