"""Whether the camera stands still: how the background moves between a few small pictures of the video."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointlight.capture.capture import SEEN_SCORE
from pointlight.cues import Keypoints2D
from pointlight.media import Frame, VideoReader

LONG_SIDE_PX = 160
"""Of the small pictures."""

EVERY_S = 0.5
"""Between small pictures, as long as there are few."""

MOST_PICTURES = 64
"""Of long videos every other one is forgotten when there are so many."""

STILL_SHARE = 0.017
"""A background that goes no farther, as a share of the picture's longer side, stands still: about a degree; hands shake."""

SAME_GREY_LEVELS = 2
"""Small pictures that differ nowhere by more show the same but for what encoding does; people who stand still sway."""

_BLOCK_PX = 32
_LEAST_CONTRAST = 4.0
"""Standard deviation in grey levels of a block in which something can be seen to move."""
_AROUND_PERSON = 0.15


@dataclass(frozen=True)
class SmallPicture:
    """A small grey picture of one frame.

    Attributes:
        index: the frame's number.
        grey: (h, w) uint8.
    """

    index: int
    grey: np.ndarray


class WatchedReader(VideoReader):
    """A reader that keeps a few small pictures of its last pass.

    Attributes:
        pictures: in the order of their frames; none before a pass.
    """

    def __init__(self, path: Path | str, start_s: float | None = None, end_s: float | None = None) -> None:
        """See `VideoReader`."""
        super().__init__(path, start_s, end_s)
        self.pictures: list[SmallPicture] = []

    def __iter__(self) -> Iterator[Frame]:
        """See `VideoReader`."""
        self.pictures = []
        apart_s, last_s = EVERY_S, -np.inf
        for frame in super().__iter__():
            if frame.time_s >= last_s + apart_s - 1e-6:
                last_s = frame.time_s
                self.pictures.append(SmallPicture(frame.index, small_grey(frame.image)))
                if len(self.pictures) > MOST_PICTURES:
                    self.pictures, apart_s = self.pictures[::2], 2 * apart_s
            yield frame


def small_grey(image: np.ndarray) -> np.ndarray:
    """(h, w) uint8 of a picture (H, W, 3): means of blocks of pixels."""
    factor = max(1, round(max(image.shape[:2]) / LONG_SIDE_PX))
    height, width = (side // factor * factor for side in image.shape[:2])
    blocks = image[:height, :width, 1].reshape(height // factor, factor, width // factor, factor)
    return blocks.mean((1, 3)).astype(np.uint8)


def is_still(pictures: Sequence[SmallPicture], frames: int) -> bool:
    """Whether a video is a still picture: of one frame, or the same over half a second or more.

    Args:
        pictures: small ones of the video.
        frames: how many it has.
    """
    if frames == 1:
        return True
    first = pictures[0].grey.astype(int) if pictures else np.zeros((0, 0))
    return len(pictures) > 1 and all(
        one.grey.shape == first.shape and np.abs(one.grey - first).max() <= SAME_GREY_LEVELS
        for one in pictures[1:]
    )


def moving_shots(pictures: Sequence[SmallPicture], person: Keypoints2D) -> np.ndarray | None:
    """(N,) bool: in which shots of a person's keypoints the camera moves; None if it can't be seen.

    Args:
        pictures: small ones of the video; where a shot has fewer than two, its camera is taken to stand still.
        person: whose place is no background; the first one, so that the result doesn't change with who else is asked for.
    """
    if len(pictures) < 2:
        return None
    moving = np.zeros(int(person.shot[-1]) + 1 if len(person.shot) else 0, bool)
    rows = {int(index): row for row, index in enumerate(person.frame_index)}
    for shot in range(len(moving)):
        chosen = [p for p in pictures if p.index in rows and person.shot[rows[p.index]] == shot]
        steps = [
            _background_step(a, b, [_box(person, row) for row in (rows[a.index], rows[b.index])])
            for a, b in itertools.pairwise(chosen)
        ]
        path = np.cumsum([np.zeros(2), *steps], axis=0)
        moving[shot] = bool(np.ptp(path, axis=0).max() > STILL_SHARE * LONG_SIDE_PX)
    return moving


def _box(person: Keypoints2D, row: int) -> np.ndarray:
    """(4,) left, top, right, bottom of a person in shares of the picture, with some room; NaN if unseen."""
    seen = person.points[row, person.points[row, :, 2] >= SEEN_SCORE, :2] / person.image_size
    if not len(seen):
        return np.full(4, np.nan)
    room = _AROUND_PERSON * max(np.ptp(seen, axis=0).max(), 0.01)
    return np.concatenate((seen.min(0) - room, seen.max(0) + room))


def _background_step(first: SmallPicture, second: SmallPicture, boxes: list[np.ndarray]) -> np.ndarray:
    """(2,) median over the background's blocks of how far what they show has gone, x and y in small pixels."""
    height, width = first.grey.shape
    if second.grey.shape != (height, width):
        return np.zeros(2)
    steps = []
    for top in range(0, height - _BLOCK_PX + 1, _BLOCK_PX):
        for left in range(0, width - _BLOCK_PX + 1, _BLOCK_PX):
            middle = (np.array((left, top)) + _BLOCK_PX / 2) / (width, height)
            if any(((middle > box[:2]) & (middle < box[2:])).all() for box in boxes):
                continue
            block = np.s_[top : top + _BLOCK_PX, left : left + _BLOCK_PX]
            a, b = first.grey[block].astype(np.float32), second.grey[block].astype(np.float32)
            if min(a.std(), b.std()) > _LEAST_CONTRAST:
                steps.append(_shift(a, b))
    return np.median(steps, axis=0) if steps else np.zeros(2)


_WINDOW = np.outer(np.hanning(_BLOCK_PX), np.hanning(_BLOCK_PX)).astype(np.float32)


def _shift(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(2,) x and y by which a block has gone, whole pixels, by phase correlation (Kuglin and Hines 1975)."""
    a, b = (np.fft.rfft2((block - block.mean()) * _WINDOW) for block in (first, second))
    cross = b * a.conj()
    peaks = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-6), s=first.shape)
    y, x = np.unravel_index(int(peaks.argmax()), peaks.shape)
    half = _BLOCK_PX // 2
    return np.array(((x + half) % _BLOCK_PX - half, (y + half) % _BLOCK_PX - half), float)
