"""Exact, strictly increasing times, from 0, of time stamps that begin anywhere and may lack, repeat or start anew."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

RESET_S = 1.0
"""Time stamps that fall back by more start anew (joined files); smaller steps back are single errors."""
_LEAP_S = 30 * 3600.0
"""Time stamps that leap ahead by more are wrong, for FFmpeg too; shorter pauses are the video's own."""


def stamp_s(picture: av.VideoFrame) -> Fraction | None:
    """A picture's time in the file's own clock, exact; None where the file gives none."""
    return None if picture.pts is None else picture.pts * Fraction(picture.time_base or 1)


class Clock:
    """Counts seconds from the first frame."""

    def __init__(self, step_s: float, origin_s: Fraction | None) -> None:
        """Begin.

        Args:
            step_s: usual time from frame to frame.
            origin_s: when the first frame is shown in the file's own clock; None where the file does not say.
        """
        self._step_s = step_s
        self._origin_s = origin_s
        self._last_s: float | None = None
        self._offset_s = 0.0
        self._invented = 0
        self._missing = 0
        self.last_duration_s = step_s

    def time(self, picture: av.VideoFrame) -> float:
        """The next frame's time in seconds."""
        last, stamp = self._last_s, stamp_s(picture)
        if stamp is None:
            self._missing += 1
            time = 0.0 if last is None else last + self._step_s
        else:
            if self._origin_s is None:
                self._origin_s = stamp - (0 if last is None else Fraction(last + self._step_s))
            time = float(stamp - self._origin_s) + self._offset_s
            if last is not None and not last < time <= last + _LEAP_S:
                self._invented += 1
                if not last - RESET_S <= time <= last:
                    self._offset_s += last + self._step_s - time
                    time = last + self._step_s
                else:
                    time = last + 0.5 * self._step_s
        if last is not None:
            self.last_duration_s = time - last
        self._last_s = time
        return time

    def warnings(self, path: Path) -> list[str]:
        """A sentence if times had to be made up."""
        sentences = []
        if self._missing:
            sentences.append(
                f"{path} gives no time for {self._missing} frames; they are taken to follow at "
                f"{1 / self._step_s:g} frames/s"
            )
        if self._invented:
            sentences.append(
                f"{path} has {self._invented} frames whose time does not advance, or leaps by days; it was mended"
            )
        return sentences
