"""One video as a source of backgrounds: its frames without repetitions, cuts and black bars."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pointlight.errors import PointlightError
from pointlight.media import VideoReader, find_cuts, small_picture
from pointlight.simulator.clip import CLIP_FRAMES

Box = tuple[int, int, int, int]

PLAYED_UP_TO_FPS = 40.5
"""Slower videos play frame by frame as if at 30 frames/s, faster ones are thinned."""

_GRID_FPS = 30.0
_GAP_STEPS = 2.5
"""A pause of this many usual steps, also one that was filled with repeated frames, is a boundary like a cut."""

_STILL_LEVELS = 0.1
"""A video of which 80 % of the neighbouring frames differ by less, in mean grey levels, is a still picture."""
_REPEATED_LEVELS = 1.0
_REPEATED_SHARE = 0.1
_REPEATED_REACH = 8
"""A frame repeats the one before if it differs by less than both: absolutely, and against the livelier neighbours."""
_DIP_LEVELS = 3.0
_DIP_SHARE = 0.2
_DIP_REACH = 3
"""So it does if the difference falls this deep between two real steps; a new encoding leaves that much of a copy."""

_FAULTS = ("is damaged", "ends early", "fitted, with bars")
"""Words of the reader's warnings on videos that show less, or something else, than the camera saw."""

_BLACK = 26
_BAR_EVERY = 6
_BAR_MARGIN_PX = 2
_LEAST_CONTENT = 0.3


@dataclass(frozen=True)
class VideoFacts:
    """What a pass over a video found.

    Attributes:
        size: (width, height) of its pictures.
        content: (left, top, right, bottom) pixels without black bars.
        fps: frames/s of the frames as they differ, before thinning.
        frame_count: of all frames.
        played: (N,) numbers of the frames that are played, one after the other.
        times_s: (N,) their times.
        repeated: how many frames were dropped for repeating the one before.
        thinned: every how many-th frame is played.
        cuts: positions in `played` before which there is a cut or a gap.
    """

    size: tuple[int, int]
    content: Box
    fps: float
    frame_count: int
    played: np.ndarray
    times_s: np.ndarray
    repeated: int
    thinned: int
    cuts: tuple[int, ...]

    def runs(self, frames: int = CLIP_FRAMES) -> list[tuple[int, int]]:
        """(start, stop) in `played` of the pieces without a cut that hold at least `frames`."""
        ends = (0, *self.cuts, len(self.played))
        return [(start, stop) for start, stop in pairwise(ends) if stop - start >= frames]


def scan_video(path: Path, frames: int = CLIP_FRAMES) -> VideoFacts:
    """Look at every frame of a video once.

    Args:
        path: of the video.
        frames: of a clip.

    Raises:
        PointlightError: it cannot be read whole, shows a still picture, or has no clip without a cut.
    """
    video = VideoReader(path)
    if (video.frame_count or frames) < frames:
        raise PointlightError(_too_short(path, video.frame_count, frames))
    numbers, times, changes, smalls = [], [], [], []
    brightest_row = brightest_column = before = None
    for frame in video:
        grey = frame.image[..., 1]
        coarse = grey[::2, ::2].astype(np.int16)
        changes.append(0.0 if before is None else float(np.abs(coarse - before).mean()))
        before = coarse
        numbers.append(frame.index)
        times.append(frame.time_s)
        smalls.append(small_picture(frame.image))
        if len(numbers) % _BAR_EVERY == 1:
            row, column = _profile(grey, 1), _profile(grey, 0)
            brightest_row = row if brightest_row is None else np.maximum(brightest_row, row)
            brightest_column = column if brightest_column is None else np.maximum(brightest_column, column)
    if lost := [text for text in video.warnings if any(fault in text for fault in _FAULTS)]:
        raise PointlightError(lost[0])
    if len(numbers) < frames or brightest_row is None or brightest_column is None:
        raise PointlightError(_too_short(path, len(numbers), frames))
    change = np.array(changes[1:])
    if np.quantile(change, 0.8) < _STILL_LEVELS:
        raise PointlightError(f"{path} shows a still picture")
    time_s = np.array(times)
    lively = np.flatnonzero(~repeated_frames(change))
    every, kept = thinned(time_s[lively])
    played = lively[kept]
    small = np.stack(smalls)[played]
    facts = VideoFacts(
        size=video.size,
        content=content_box(brightest_row, brightest_column),
        fps=_rate(time_s[lively]),
        frame_count=len(numbers),
        played=np.array(numbers)[played],
        times_s=time_s[played],
        repeated=len(numbers) - len(lively),
        thinned=every,
        cuts=tuple(sorted({*find_cuts(small), *_gaps(time_s[played])})),
    )
    if not facts.runs(frames):
        raise PointlightError(f"{path} has no {frames} different frames between cuts, only {_longest(facts)}")
    return facts


def says_too_short(left_out: str) -> bool:
    """Whether a sentence of `scan_video` says that a video has too few frames."""
    return bool(re.search(r" fewer than the \d+ of a clip$| no \d+ different frames between cuts", left_out))


def _too_short(path: Path, there: int | None, frames: int) -> str:
    return f"{path} has {there} frames, fewer than the {frames} of a clip"


def repeated_frames(change: np.ndarray) -> np.ndarray:
    """Which frames repeat the one before; converters make such frames to fill up a rate.

    Args:
        change: (T - 1,) mean absolute difference of neighbouring frames in grey levels.

    Returns:
        (T,) bool; the first is False.
    """
    mode = "reflect" if len(change) > _REPEATED_REACH else "edge"
    around = sliding_window_view(np.pad(change, _REPEATED_REACH, mode=mode), 2 * _REPEATED_REACH + 1)
    still = change < np.minimum(_REPEATED_LEVELS, _REPEATED_SHARE * np.quantile(around, 0.9, axis=-1))
    before = sliding_window_view(np.pad(change[:-1], (_DIP_REACH, 0)), _DIP_REACH).max(-1)
    after = sliding_window_view(np.pad(change[1:], (0, _DIP_REACH)), _DIP_REACH).max(-1)
    dip = change < np.minimum(_DIP_LEVELS, _DIP_SHARE * np.minimum(before, after))
    return np.concatenate([[False], still | dip])


def thinned(times_s: np.ndarray) -> tuple[int, np.ndarray]:
    """Which frames to play: all up to 40 frames/s, else about every n-th, by their times.

    A whole n keeps motion even: 50 frames/s become 25, not 30 with steps of one and two frames by turns.

    Returns:
        n, and (N,) positions.
    """
    rate = _rate(times_s)
    if rate <= PLAYED_UP_TO_FPS:
        return 1, np.arange(len(times_s))
    every = max(2, round(rate / _GRID_FPS))
    step_s = (every - 0.5) / rate
    kept = [0]
    for position, time_s in enumerate(times_s):
        if time_s - times_s[kept[-1]] >= step_s:
            kept.append(position)
    return every, np.array(kept)


def content_box(brightest_row: np.ndarray, brightest_column: np.ndarray) -> Box:
    """The picture without the black bars around it; a dark picture is kept whole.

    Args:
        brightest_row: (height,) the brightest that a row of pixels ever was.
        brightest_column: (width,) of a column.

    Returns:
        (left, top, right, bottom) pixels.
    """
    height, width = len(brightest_row), len(brightest_column)
    top, bottom = _between_bars(brightest_row)
    left, right = _between_bars(brightest_column)
    if (bottom - top) * (right - left) < _LEAST_CONTENT * height * width:
        return 0, 0, width, height
    return left, top, right, bottom


def _between_bars(brightest: np.ndarray) -> tuple[int, int]:
    light = np.flatnonzero(brightest > _BLACK)
    if len(light) == 0:
        return 0, len(brightest)
    start, stop = int(light[0]), int(light[-1]) + 1
    # The codec smears the bar's edge into the picture.
    start += _BAR_MARGIN_PX if start else 0
    stop -= _BAR_MARGIN_PX if stop < len(brightest) else 0
    return start, stop


def _profile(light: np.ndarray, axis: int) -> np.ndarray:
    """How bright a row or column is: its 99th percentile, so that a speck in a bar does not count."""
    place = int(0.99 * (light.shape[axis] - 1))
    return np.partition(light, place, axis=axis).take(place, axis=axis)


def _rate(times_s: np.ndarray) -> float:
    return 1 / float(np.median(np.diff(times_s)))


def _gaps(times_s: np.ndarray) -> list[int]:
    steps = np.diff(times_s)
    return [int(place) + 1 for place in np.flatnonzero(steps > _GAP_STEPS * np.median(steps))]


def _longest(facts: VideoFacts) -> int:
    ends: Sequence[int] = (0, *facts.cuts, len(facts.played))
    return int(np.diff(ends).max())
