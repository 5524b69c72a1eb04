"""A project with a registry, and no samples: files that only look like a model's make none.

A good sample stands in for it, but where a test draws its own.
"""

import shutil
from pathlib import Path

import pytest

from components.registry import promotion
from components.registry.trial import Sample
from tests.tracked import make_database


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "draw_sample", lambda *_, **__: Sample(wrong="", motion=2.0))


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry") / "project"


@pytest.fixture
def project(place: Path, monkeypatch: pytest.MonkeyPatch, drawn: None) -> Path:
    """A folder with an empty registry, the same for every test: MLflow takes long to open a database at a new place."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.rmtree(place, ignore_errors=True)
    make_database(place)
    return place
