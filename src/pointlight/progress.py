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
        unit: what one of them is called, such as "step"; empty where that says nothing.

    Example:
        >>> import pointlight
        >>> stages = []
        >>> capture = pointlight.predict("video.mp4", end_s=0.5, progress=lambda told: stages.append(told.stage))
        >>> list(dict.fromkeys(stages))
        ['detect', 'lift', 'refine']
    """

    stage: str
    done: float
    total: float
    note: str = ""
    unit: str = ""

    @property
    def count(self) -> str:
        """How far it is in words: "step 80 of 120", "80/120" without a unit, "done" for a stage of one piece."""
        if not self.unit:
            whole = "done" if self.done >= self.total else ""
            return (
                whole
                if self.total == 1
                else f"{self.done:.10g}/{self.total:.10g}"
                if self.total
                else f"{self.done:.10g}"
            )
        return f"{self.unit} {self.done:.10g}" + (f" of {self.total:.10g}" if self.total else "")


ProgressCallback = Callable[[Progress], None]
"""What every function that takes long is given as `progress`. What it raises ends the work."""


def silent(progress: Progress) -> None:
    """Show nothing."""


def under_name(progress: ProgressCallback, stage: str) -> ProgressCallback:
    """A callback that hands everything on as progress of `stage`, for work that has one name inside and another outside."""
    return lambda inner: progress(replace(inner, stage=stage))
