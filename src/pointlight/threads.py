"""How many threads one run takes, and work that goes on in them while its results are used in order."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MOST = 4
"""More threads than these wait for each other."""

_CHOSEN = "OMP_NUM_THREADS"
_POLL_S = 0.1


def usable_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usable_threads() -> int:
    """Threads for one video: as many as there are cores, or as `OMP_NUM_THREADS` says, and 4 at most."""
    chosen = os.environ.get(_CHOSEN, "")
    return max(1, min(int(chosen) if chosen.isdigit() else usable_cores(), _MOST))


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Within the block torch has so many threads; with 1 its sums have one order on every machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def ahead(items: Iterable[T], count: int) -> Iterator[T]:
    """The same items in the same order, made by a thread that is at most so many ahead.

    Decoding and scaling leave Python's lock alone, so that they take a second core. Errors come where their item would
    have come. When the caller stops early, so does the thread.

    Args:
        items: an iterable that nobody else uses meanwhile.
        count: items that wait at most, 1 or more.
    """
    waiting: Queue[tuple[T] | BaseException | None] = Queue(count)
    stopped = threading.Event()

    def give(entry: tuple[T] | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                return waiting.put(entry, timeout=_POLL_S)
            except Full:
                continue

    def work() -> None:
        try:
            for item in items:
                give((item,))
                if stopped.is_set():
                    return
            give(None)
        except BaseException as error:  # it is raised where the caller is
            give(error)

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while (entry := _next(waiting)) is not None:
            if isinstance(entry, BaseException):
                raise entry
            yield entry[0]
    finally:
        stopped.set()
        thread.join()


def in_order(work: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """The results of some work on each item, in the items' order; so many threads work ahead.

    Args:
        work: changes nothing that another thread uses.
        items: taken one by one, two more than there are threads at most.
        threads: 1 or more.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads, "in_order") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > threads + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _next(waiting: Queue[T]) -> T:
    """The next entry; waits in short steps, so that Ctrl-C is heard on every system."""
    while True:
        try:
            return waiting.get(timeout=_POLL_S)
        except Empty:
            continue
