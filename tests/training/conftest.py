"""Training is tested on one thread."""

from collections.abc import Iterator

import pytest

from tests.training.twins import one_thread


@pytest.fixture(autouse=True, scope="package")
def small_tensors() -> Iterator[None]:
    with one_thread():
        yield
