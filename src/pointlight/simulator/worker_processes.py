"""A pool of processes for work that is one thread each, and that ends with whoever started it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from pointlight.errors import PointlightError

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)

Spread = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""Calls a function with every item and gives the results in order, as `map` does."""


@contextmanager
def spreading(workers: int) -> Iterator[Spread]:
    """Something like `map` that works in so many processes; with 0 it is `map`.

    When the block ends, however it does, what has not begun is dropped and what runs is waited for.

    Raises:
        PointlightError: a process died.
    """
    if workers == 0:
        yield map
        return
    with one_thread_each():
        pool = ProcessPoolExecutor(
            workers, mp_context=multiprocessing.get_context("spawn"), initializer=begin_process
        )
        try:
            yield pool.map
        except BrokenProcessPool as error:
            raise PointlightError(
                "a process was killed, perhaps for lack of memory; what is whole has been kept, "
                "the same command goes on, with fewer --workers if need be"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def begin_process() -> None:
    """In a new process: Ctrl-C is the parent's business, and its death is this process's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes begun in the block have one thread each; libraries read these variables when they are loaded."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
