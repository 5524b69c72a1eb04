"""Small pictures: what the tests ask of them does not depend on their size, and encoding them takes the time."""

from collections.abc import Iterator

import pytest

from components.report import strips

TILE = 96  # three times the made-up samples


@pytest.fixture(scope="package", autouse=True)
def small_pictures() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strips, "TILE", TILE)
        yield
