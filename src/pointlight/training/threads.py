"""How many threads training takes: the cores less the processes that make batches, so that nobody waits for a core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def training_threads(workers: int) -> int:
    """How many threads are right beside so many other processes.

    A number that somebody chose stays: one in `OMP_NUM_THREADS` or `MKL_NUM_THREADS`, or one that was set in torch
    below the cores that are left.
    """
    set_already = torch.get_num_threads()
    if any(os.environ.get(name) for name in _VARIABLES):
        return set_already
    return min(set_already, max(1, _cores() - workers))


@contextmanager
def beside_workers(workers: int) -> Iterator[None]:
    """Within the block torch has so many threads; afterwards as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(training_threads(workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
