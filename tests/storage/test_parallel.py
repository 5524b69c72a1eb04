"""A few transfers at a time."""

import threading
import time

import pytest

from components.storage.parallel import each


def test_results_keep_the_order_of_the_items() -> None:
    assert each(lambda item: item * 2, range(20), streams=4) == list(range(0, 40, 2))


def test_no_more_than_the_streams_run_at_once() -> None:
    together = threading.Barrier(3)

    def meet(_: int) -> int:
        together.wait(10)
        return threading.active_count()

    before = threading.active_count()
    assert max(each(meet, range(6), streams=3)) <= before + 3


def test_the_first_failure_is_raised_and_nothing_new_begins() -> None:
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        time.sleep(0.001)
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 0"):
        each(work, range(1000), streams=1)
    assert len(begun) < 1000
