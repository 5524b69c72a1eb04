"""A request to stop is heeded, also when the exception that says so got lost."""

import contextlib
import signal
from collections.abc import Iterator

import pytest

from components.errors import StoppedError
from components.processes import signals
from components.stopping import ASKED_EARLY, stop_at_once, stop_event


@pytest.fixture(autouse=True)
def _nobody_asked() -> Iterator[None]:
    ASKED_EARLY.clear()
    yield
    ASKED_EARLY.clear()


@pytest.fixture
def _handlers() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_nothing_is_asked_at_first() -> None:
    assert not stop_event().is_set()


@pytest.mark.usefixtures("_handlers")
def test_a_request_that_an_import_swallowed_reaches_the_command() -> None:
    signal.signal(signal.SIGTERM, stop_at_once)
    with contextlib.suppress(Exception):  # as a library does that tries an import
        signal.raise_signal(signal.SIGTERM)
    with signals() as stopped:
        assert stopped()


def test_it_raises_at_once() -> None:
    with pytest.raises(StoppedError, match="the same command continues"):
        stop_at_once(signal.SIGTERM, None)
