"""Frames of a file at even times: which frames of a capture each lies between, and what is inferred or filled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from pointlight.capture import Capture
from pointlight.errors import PointlightError

SEEN, INFERRED, FILLED = 0, 1, 2
MARK_NAMES = ("seen", "inferred", "filled")
"""What a frame rests on: detections; other frames, the person being hardly seen; nothing, it bridges a gap."""

_EVEN = 0.1
"""Share of a frame's duration by which a video's frames may miss even times and still count as even."""


@dataclass(frozen=True)
class Timeline:
    """The T frames of a file, at k / fps seconds from the first; between which frames of the capture they lie.

    Attributes:
        fps: frames per second.
        left: (T,) int64 frame of the capture with a body at or before each; or the one that is held.
        right: (T,) int64 the same at or after.
        share: (T,) float64 how far each lies from left to right.
        marks: (T,) uint8 SEEN, INFERRED or FILLED.
        shot: (T,) int64 the shot of each.
    """

    fps: float
    left: np.ndarray
    right: np.ndarray
    share: np.ndarray
    marks: np.ndarray
    shot: np.ndarray

    @staticmethod
    def of(capture: Capture, fps: float | None = None) -> Timeline:
        """The capture's own frames where they are even, else (or with another `fps`) even times between them.

        Gaps within a shot are bridged; before the first and after the last body of a shot its pose is held.

        Raises:
            PointlightError: there is no body in any frame.
        """
        there = np.flatnonzero(capture.valid)
        if not len(there):
            raise PointlightError("no frame of this result has a body; there is nothing to export")
        time_s = capture.time_s - capture.time_s[0]
        own = np.arange(len(time_s)) / capture.fps
        even = bool(np.abs(time_s - own).max() <= _EVEN / capture.fps)
        if even and (fps is None or fps == capture.fps):
            fps, query = capture.fps, time_s
        else:
            fps = fps or capture.fps
            query = np.arange(int(np.floor(time_s[-1] * fps + 1e-6)) + 1) / fps
        near = 1e-6 / fps
        before = np.searchsorted(time_s, query + near, side="right") - 1
        after = np.minimum(np.searchsorted(time_s, query - near, side="left"), len(time_s) - 1)
        shot = capture.shot[before]
        left = there[np.maximum(np.searchsorted(there, before, side="right") - 1, 0)]
        right = there[np.minimum(np.searchsorted(there, after, side="left"), len(there) - 1)]
        here_left = (capture.shot[left] == shot) & (left <= before)
        here_right = (capture.shot[right] == shot) & (right >= after)
        # Where the shot has bodies on one side only, that one is held; where it has none at all, the one before.
        held = np.where(here_left | (~here_right & (left <= before)), left, right)
        both = here_left & here_right
        left, right = np.where(both, left, held), np.where(both, right, held)
        span = np.where(right > left, time_s[right] - time_s[left], 1.0)
        share = np.where(right > left, (query - time_s[left]) / span, 0.0).clip(0, 1)
        # A time between the last frame of a shot and the first of the next rests on the former alone.
        rests = np.where(capture.shot[after] == shot, after, before)
        filled = ~(capture.valid[before] & capture.valid[rests])
        inferred = capture.occluded[left] | capture.occluded[right]
        marks = np.where(filled, FILLED, np.where(inferred, INFERRED, SEEN)).astype(np.uint8)
        return Timeline(fps, left, right, share, marks, shot)

    def __len__(self) -> int:
        """Number of frames, T."""
        return len(self.share)

    def places(self, places: np.ndarray) -> np.ndarray:
        """(T, ..., 3) float64 places at the file's times, from places by frame of the capture."""
        places = np.asarray(places, np.float64)
        share = self.share.reshape(-1, *[1] * (places.ndim - 1))
        return places[self.left] * (1 - share) + places[self.right] * share

    def rotations(self, rotations: np.ndarray) -> np.ndarray:
        """(T, J, 3, 3) float64 rotations at the file's times, along the shortest way between frames."""
        start = np.asarray(rotations[self.left], np.float64)
        between = np.flatnonzero(self.share > 0)
        if len(between):
            first = start[between]
            turn = first.swapaxes(-1, -2) @ rotations[self.right[between]].astype(np.float64)
            rotvec = Rotation.from_matrix(turn.reshape(-1, 3, 3)).as_rotvec().reshape(*turn.shape[:2], 3)
            part = (rotvec * self.share[between, None, None]).reshape(-1, 3)
            start[between] = first @ Rotation.from_rotvec(part).as_matrix().reshape(turn.shape)
        return start
