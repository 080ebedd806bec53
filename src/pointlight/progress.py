"""How far long work is: one type and one callback, whoever reports and whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Progress:
    """Where one stage of some work stands.

    Attributes:
        stage: its name; stages follow each other or run side by side.
        done: how much is done, in the stage's own unit (frames, files, steps).
        total: how much there is; 0 where that is not known. A stage that says only that it has ended is 1 of 1.
        note: words to show behind the numbers.
    """

    stage: str
    done: float
    total: float
    note: str = ""


ProgressCallback = Callable[[Progress], None]
"""What every function that takes long is given as `progress`. What it raises ends the work."""


def silent(progress: Progress) -> None:
    """Show nothing."""


def under_name(progress: ProgressCallback, stage: str) -> ProgressCallback:
    """A callback that hands everything on as progress of `stage`, for work that has one name inside and another outside."""
    return lambda inner: progress(replace(inner, stage=stage))
