"""How many threads training takes: the cores less the processes that make batches, so that nobody waits for a core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pointlight.threads import torch_threads, usable_cores

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def training_threads(workers: int) -> int:
    """How many threads are right beside so many other processes.

    A number that somebody chose stays: one in `OMP_NUM_THREADS` or `MKL_NUM_THREADS`, or one that was set in torch
    below the cores that are left.
    """
    set_already = torch.get_num_threads()
    if any(os.environ.get(name) for name in _VARIABLES):
        return set_already
    return min(set_already, max(1, usable_cores() - workers))


@contextmanager
def beside_workers(workers: int) -> Iterator[None]:
    """Within the block torch has so many threads; afterwards as many as before."""
    with torch_threads(training_threads(workers)):
        yield
