"""Where a video's picture changes as a whole: cuts, and the shots between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import no_type_check

import numba
import numpy as np

from pointlight.media.video import Frame

_CUT_LEVELS = 10.0
_CUT_COLOURS = 0.5
_CUT_LIKENESS = 0.3
_CUT_RATIO = 3.0
_CUT_REACH = 6
"""A cut differs by this many levels on a small picture, and this many times as much as its neighbours; and it either
moves this share (of 2) of the colour histogram or correlates less than this."""

_FLASH_FRAMES = 4
_FLASH_SHARE = 0.5
_SAME_LIKENESS = 0.8
"""If within so many frames the picture is back, which is to say alike by both, that was a flash of light and no cut."""

_SMALL_SIDE = 24


def small_picture(image: np.ndarray) -> np.ndarray:
    """An (H, W, 3) uint8 picture reduced by a whole number so that its short side has 24 to 47 pixels."""
    factor = max(1, min(image.shape[:2]) // _SMALL_SIDE)
    height, width = image.shape[:2]
    small = np.empty((-(-height // factor), -(-width // factor), 3), np.uint8)
    _mean_blocks(np.ascontiguousarray(image).reshape(height, -1), factor, small)
    return small


def small_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) to which pictures of a size may be scaled on reading when only cuts are looked for."""
    factor = max(1, min(size) // _SMALL_SIDE)
    return max(1, size[0] // factor), max(1, size[1] // factor)


def find_cuts(small: np.ndarray) -> list[int]:
    """Numbers of the frames before which the picture changes as a whole.

    Args:
        small: (T, h, w, 3) uint8, small pictures.
    """
    if len(small) < 2:
        return []
    moved = _moved(small)
    cuts = []
    for place in np.flatnonzero((moved > _CUT_LEVELS) & _other_picture(small)):
        if _stands_out(moved, int(place)):
            cuts.append(int(place) + 1)
    return cuts


def numbered_shots(frames: Iterable[Frame]) -> Iterator[tuple[Frame, int]]:
    """Frames with the number of the shot that each belongs to, from 0; a few frames are held back meanwhile.

    Flashes of light are no cuts here.
    """
    held: deque[_Held] = deque()
    known: deque[_Held] = deque(maxlen=_CUT_REACH)  # those that were given already
    shot = 0
    for frame in frames:
        small = small_picture(frame.image)
        before = held[-1] if held else known[-1] if known else None
        held.append(_Held.after(before, frame, small))
        if len(held) > _CUT_REACH:
            shot += _begins_shot(known, held)
            yield held[0].frame, shot
            known.append(held.popleft().without_picture())
    while held:
        shot += _begins_shot(known, held)
        yield held[0].frame, shot
        known.append(held.popleft().without_picture())


@dataclass(frozen=True)
class _Held:
    """A frame, its small picture, and how both differ from the frame before.

    Attributes:
        frame: with its picture until it is given away.
        small: (h, w, 3).
        moved: mean difference in levels; NaN for a video's first frame.
        other: whether it can be another picture at all.
    """

    frame: Frame
    small: np.ndarray
    moved: float
    other: bool

    @staticmethod
    def after(before: _Held | None, frame: Frame, small: np.ndarray) -> _Held:
        if before is None:
            return _Held(frame, small, float("nan"), False)
        if before.small.shape != small.shape:
            return _Held(frame, small, 255.0, True)
        pair = np.stack((before.small, small))
        # Where all stands in its place, only the light has changed.
        other = _other_picture(pair)[0] and _likeness(pair)[0] <= _SAME_LIKENESS
        return _Held(frame, small, float(_moved(pair)[0]), bool(other))

    def without_picture(self) -> _Held:
        """Lets go of what takes memory."""
        return _Held(
            Frame(self.frame.index, self.frame.time_s, self.small), self.small, self.moved, self.other
        )


def _begins_shot(known: deque[_Held], held: deque[_Held]) -> bool:
    """Whether the first frame held begins a shot, by those before and behind it."""
    first = held[0]
    if not known or not first.other or first.moved <= _CUT_LEVELS:
        return False
    before = [frame.moved for frame in known if np.isfinite(frame.moved)]
    moved = np.array([*before, *(frame.moved for frame in held)])
    return _stands_out(moved, len(before)) and not _flashes(known, held)


def _flashes(known: deque[_Held], held: deque[_Held]) -> bool:
    """Whether a picture from before the first frame held is back soon after, so that nothing has changed for good."""
    for back, before in enumerate(list(known)[::-1][:_FLASH_FRAMES], start=1):
        for ahead, after in enumerate(list(held)[: _FLASH_FRAMES + 1 - back]):
            if back + ahead < 2 or before.small.shape != after.small.shape:
                continue
            pair = np.stack((before.small, after.small))
            if _moved(pair)[0] < _FLASH_SHARE * held[0].moved and _likeness(pair)[0] > _SAME_LIKENESS:
                return True
    return False


def _stands_out(moved: np.ndarray, place: int) -> bool:
    """Whether a change is much larger than those around it."""
    around = np.delete(moved, place)[max(0, place - _CUT_REACH) : place + _CUT_REACH]
    return len(around) == 0 or bool(moved[place] > _CUT_RATIO * np.median(around))


def _moved(small: np.ndarray) -> np.ndarray:
    """(T - 1,) mean difference of neighbouring pictures in levels."""
    return np.abs(np.diff(small.astype(np.int16), axis=0)).mean(axis=(1, 2, 3))


def _other_picture(small: np.ndarray) -> np.ndarray:
    """(T - 1,) bool: neighbours differ in colours or in what stands where."""
    bins = (small >> 6).astype(np.int64) @ np.array([16, 4, 1])
    counts = np.stack([np.bincount(frame.ravel(), minlength=64) for frame in bins]) / bins[0].size
    colours = np.abs(np.diff(counts, axis=0)).sum(-1)
    return (colours > _CUT_COLOURS) | (_likeness(small) < _CUT_LIKENESS)


def _likeness(small: np.ndarray) -> np.ndarray:
    """Correlation (T - 1,) of each small picture with the next."""
    flat = small.reshape(len(small), -1).astype(np.float32)
    flat = flat - flat.mean(1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return (flat[:-1] * flat[1:]).sum(1)


@numba.njit(cache=True, error_model="numpy", nogil=True)
@no_type_check
def _mean_blocks(rows: np.ndarray, factor: int, small: np.ndarray) -> None:
    """Rounded means of blocks of pixels; the last ones of a row or a column may be narrower.

    Args:
        rows: (H, 3 W) uint8, a picture.
        factor: side of a block.
        small: (ceil(H / factor), ceil(W / factor), 3) uint8, written to.
    """
    height, length = rows.shape
    sums = np.empty(length, np.uint32)
    for row in range(small.shape[0]):
        top, bottom = row * factor, min((row + 1) * factor, height)
        sums[:] = 0
        for y in range(top, bottom):
            for x in range(length):
                sums[x] += rows[y, x]
        for column in range(small.shape[1]):
            left, right = 3 * column * factor, min(3 * (column + 1) * factor, length)
            area = (bottom - top) * (right - left) // 3
            for channel in range(3):
                total = np.uint32(area // 2)
                for x in range(left + channel, right, 3):
                    total += sums[x]
                small[row, column, channel] = total // area
