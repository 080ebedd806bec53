"""Processes of one thread each, that end with whoever started them and do not ask for the same memory again and again."""

from __future__ import annotations

import ctypes
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

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_ARRAY_BYTES = 1 << 25
_KEPT_BYTES = 1 << 29
"""glibc takes no more than 32 MB for the first; a clip's arrays are smaller, and all of them together than the second."""

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


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, up to half a gigabyte, for what it makes next; whether the system can.

    A clip's layers are tens of megabytes each. glibc gives such pieces back to the system, which clears them for the
    next clip: an eighth of the time of a clip. Where the C library is another, nothing is changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST_ARRAY_BYTES) and mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES))


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes begun in the block have one thread each; libraries read these variables when they are loaded."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
