"""Pictures of a track's frames, wherever they come from: the one thing that picture cues are made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from pointlight.errors import PointlightError
from pointlight.media import Frame
from pointlight.values import by_value

FRAME_S = 1 / 30
"""Between the frames of a pair on the grid."""

EXACT_FLOW = "exact"
"""The name of flow that is known and not found: of simulated clips alone."""

_SAME_S = 1e-6


@by_value
@dataclass(frozen=True)
class PairPictures:
    """What there is to see of a pair of frames.

    Attributes:
        first: (H, W, 3) uint8 RGB, the present frame, or the part of it around the person.
        second: the next one, as much of it; None where flow is all that is left of it.
        to_picture: (3, 3) float64, the homography from pixels of `first` to those of the whole picture.
        step_s: between the two; motion is told as of 1/30 s.
        flow_px: (H, W, 2) float32 from `first` to the next frame in its own pixels; None where nobody found it yet.
        flow_name: of the estimator that found it.
    """

    first: np.ndarray
    second: np.ndarray | None
    to_picture: np.ndarray = field(default_factory=lambda: np.eye(3))
    step_s: float = FRAME_S
    flow_px: np.ndarray | None = None
    flow_name: str = ""


@runtime_checkable
class FrameSource(Protocol):
    """The pictures of one track on the grid of 30 frames/s; pairs are asked for in order, some may be left out."""

    def pair(self, number: int) -> PairPictures:
        """Frame `number` of the grid and the one after it."""
        ...


@by_value
@dataclass(frozen=True)
class ArrayFrames:
    """Pictures that are in memory, one for each frame of the grid.

    Attributes:
        frames: T pictures (H, W, 3) uint8 RGB.
    """

    frames: Sequence[np.ndarray] | np.ndarray

    def pair(self, number: int) -> PairPictures:
        """See `FrameSource`; after the last frame nothing moves."""
        return PairPictures(self.frames[number], self.frames[min(number + 1, len(self.frames) - 1)])


class ShotFrames:
    """A video's frames shot by shot, in one pass that begins when the first one is asked for."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = frames
        self._coming: Iterator[Frame] | None = None
        self._held: list[Frame] = []

    def until(self, last_s: float) -> Iterator[Frame]:
        """Those up to a time that have not been given yet; the first one after it waits for the next shot."""
        if self._coming is None:
            self._coming = iter(self._frames)
        while True:
            frame = self._held.pop() if self._held else next(self._coming, None)
            if frame is None:
                return
            if frame.time_s > last_s + _SAME_S:
                self._held.append(frame)
                return
            yield frame


class VideoFrames:
    """A video's pictures on a grid, in one pass: of every time the frame that is nearest, as few as possible in memory.

    Where the video is slower than the grid, two times in a row may have one frame; what moves is then seen between that
    frame and the next one, and told as of the grid's step. After the last frame nothing moves.
    """

    def __init__(self, frames: Iterable[Frame], grid_s: np.ndarray) -> None:
        """Begin a pass.

        Args:
            frames: of the video, in order; those before the grid's first time may be among them.
            grid_s: (G,) times, increasing.
        """
        self._coming = iter(frames)
        self._grid_s = grid_s
        self._held: deque[Frame] = deque()

    def pair(self, number: int) -> PairPictures:
        """See `FrameSource`; earlier pairs than before can't be asked for again."""
        first = self._nearest(float(self._grid_s[number]), keep=True)
        following = number + 1 < len(self._grid_s)
        second = self._nearest(float(self._grid_s[number + 1])) if following else first
        if second.index == first.index:
            second = next((frame for frame in self._ahead(1) if frame.index > first.index), first)
        step_s = second.time_s - first.time_s
        return PairPictures(first.image, second.image, step_s=step_s if step_s > 0 else FRAME_S)

    def _nearest(self, time_s: float, *, keep: bool = False) -> Frame:
        """The frame nearest to a time; with `keep` those before it are let go."""
        while not self._held or self._held[-1].time_s < time_s:
            frame = next(self._coming, None)
            if frame is None:
                break
            self._held.append(frame)
        if not self._held:
            raise PointlightError("this model sees pictures, and there are none; give the video's frames")
        nearest = min(self._held, key=lambda frame: (abs(frame.time_s - time_s), frame.index))
        while keep and self._held[0].index < nearest.index:
            self._held.popleft()
        return nearest

    def _ahead(self, count: int) -> list[Frame]:
        """What is held, with so many frames more behind the first."""
        while len(self._held) <= count:
            frame = next(self._coming, None)
            if frame is None:
                break
            self._held.append(frame)
        return list(self._held)
