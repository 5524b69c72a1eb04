"""Files that only look like a model's make no sample: a good one stands in for it, but where a test draws its own."""

import pytest

from components.registry import promotion
from components.registry.trial import Sample


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "draw_sample", lambda *_, **__: Sample(wrong="", motion=2.0))
