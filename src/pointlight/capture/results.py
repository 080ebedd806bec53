"""What `predict` gives back: the capture, how it went, what was written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pointlight.capture.capture import Capture
from pointlight.capture.summary import Summary
from pointlight.capture.world import FootSlide
from pointlight.values import by_value

Seconds = tuple[tuple[str, float], ...]
"""What each stage took, in the order of the stages."""


@dataclass(frozen=True)
class Diagnostics:
    """How a prediction went.

    Attributes:
        frames: of the video.
        bodies: frames with a body; of the first person, where there are several, like all that follows.
        occluded: of these, frames in which the person was hardly seen.
        repaired: frames whose left and right were put back.
        seconds: name and time of every stage.
        warnings: a sentence on everything that was lost on the way; everybody's.
        others: each further person's; the seconds and warnings here are everybody's.
        foot_slide: how fast standing feet slide; None without a world.

    Example:
        >>> import pointlight
        >>> pointlight.predict_with_diagnostics("video.mp4", end_s=0.5, refine=False).diagnostics.frames
        15
    """

    frames: int
    bodies: int
    occluded: int
    repaired: int
    seconds: Seconds
    warnings: tuple[str, ...]
    others: tuple[Diagnostics, ...] = ()
    foot_slide: FootSlide | None = None


@by_value
@dataclass(frozen=True)
class PredictResult:
    """A video's result and how it went.

    The name `Prediction` belongs to a network's output, see `pointlight.network`.

    Attributes:
        capture: the moving body, of the first person.
        diagnostics: how it went.
        others: of the other people, where several were asked for.

    Example:
        >>> import pointlight
        >>> result = pointlight.predict_with_diagnostics("video.mp4", end_s=0.5, refine=False)
        >>> [stage for stage, seconds in result.diagnostics.seconds]
        ['detect', 'lift', 'world']
    """

    capture: Capture
    diagnostics: Diagnostics
    others: tuple[Capture, ...] = ()

    @property
    def captures(self) -> tuple[Capture, ...]:
        """Everybody's, the first person first."""
        return (self.capture, *self.others)


@dataclass(frozen=True)
class FolderResult:
    """What `predict_to_folder` has written and how it went.

    Attributes:
        files: `poses.npz`, those of further people, `overlay.mp4` and `overlay.png` where wanted, `summary.json`.
        diagnostics: how it went, the overlay included.
        summary: how good it is, and what to try if it is poor; what `summary.json` holds.

    Example:
        >>> import pointlight
        >>> result = pointlight.predict_to_folder("video.mp4", "result", end_s=0.5, refine=False, overlay=False)
        >>> [file.name for file in result.files]
        ['poses.npz', 'summary.json']
    """

    files: tuple[Path, ...]
    diagnostics: Diagnostics
    summary: Summary


class Stopwatch:
    """What each stage took that has ended."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.seconds: Seconds = ()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block."""
        started = time.monotonic()
        yield
        self.seconds += ((name, time.monotonic() - started),)
