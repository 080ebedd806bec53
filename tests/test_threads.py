"""Work in threads: results in order, errors where they belong, nothing left running."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from pointlight.threads import ahead, in_order, usable_threads


def counted(total: int, made: list[int], error_at: int | None = None) -> Iterator[int]:
    for number in range(total):
        if number == error_at:
            raise ValueError(f"no {number}")
        made.append(number)
        yield number


def running() -> int:
    return sum(thread.name.startswith(("ahead", "in_order")) for thread in threading.enumerate())


def test_ahead_gives_the_same_items_and_no_more_wait_than_allowed() -> None:
    made: list[int] = []
    items = ahead(counted(50, made), 3)
    assert next(items) == 0
    time.sleep(0.3)
    assert len(made) <= 1 + 3 + 1  # taken, waiting, in the producer's hand
    assert [*items] == [*range(1, 50)]
    assert not running()


def test_an_error_comes_where_its_item_would_have_come() -> None:
    given = []
    with pytest.raises(ValueError, match="no 4"):
        given.extend(ahead(counted(9, [], error_at=4), 2))
    items = ahead(counted(9, [], error_at=4), 2)
    assert [next(items) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="no 4"):
        next(items)
    assert not running()


def test_a_caller_who_stops_early_leaves_no_thread() -> None:
    made: list[int] = []
    items = ahead(counted(10_000, made), 2)
    next(items)
    items.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert not running() and len(made) < 10


def test_results_come_in_order_though_later_ones_are_ready_first() -> None:
    def work(number: int) -> int:
        time.sleep(0.02 if number % 3 == 0 else 0.0)
        return number * number

    assert [*in_order(work, range(20), 3)] == [number * number for number in range(20)]
    assert not running()


def test_an_error_of_the_work_is_raised_and_ends_it() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise ValueError("three")
        return number

    given = []
    with pytest.raises(ValueError, match="three"):
        for result in in_order(work, range(1000), 2):
            given.append(result)
    assert given == [0, 1, 2] and len(begun) < 12 and not running()


@pytest.mark.parametrize(
    ("chosen", "least", "most"), [("1", 1, 1), ("2", 2, 2), ("64", 4, 4), ("", 1, 4), ("x", 1, 4)]
)
def test_whoever_says_how_many_threads_is_heard(
    monkeypatch: pytest.MonkeyPatch, chosen: str, least: int, most: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    assert least <= usable_threads() <= most
