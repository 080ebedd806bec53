"""Losses of a batch that several processes share, each with a part of its clips.

The mean of the parts' means is the whole's mean only where all have as much to say. Where some truth is unknown they have
not, so a part divides by the mean weight of all parts in place of its own; the mean of what comes out is the whole's mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import Tensor

Averaged = Callable[[Tensor], Tensor]
"""A number's mean over the parts, the same in each."""

_averaged: ContextVar[Averaged | None] = ContextVar("averaged", default=None)


@contextmanager
def part_of_a_batch(averaged: Averaged | None) -> Iterator[None]:
    """Within the block losses are of a part, to be averaged over the parts; of a whole batch with None.

    Every part must take the same losses in the same order.
    """
    token = _averaged.set(averaged)
    try:
        yield
    finally:
        _averaged.reset(token)


def is_part() -> bool:
    """Whether the batch is a part."""
    return _averaged.get() is not None


def weight_of_a_part(weight: Tensor) -> Tensor:
    """What a part's weighted sum has to be divided by: its own weight, or the mean of all parts'."""
    averaged = _averaged.get()
    return weight if averaged is None else averaged(weight)
