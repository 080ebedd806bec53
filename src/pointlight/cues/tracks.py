"""2D keypoints of one person in a video, from a detector or from a user's file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from pointlight.errors import PointlightError
from pointlight.values import by_value


@by_value
@dataclass(frozen=True)
class Keypoints2D:
    """The track of one person, an entry for every frame of the video, checked when made.

    Attributes:
        names: of the K keypoints; left and right are the person's own.
        time_s: (T,) float64, seconds since the video's first frame, strictly increasing.
        frame_index: (T,) int64, the video's frame numbers from 0, strictly increasing.
        points: (T, K, 3) float32: x and y in continuous pixels of the upright picture, score in [0, 1]; a
            score of 0 says that the keypoint is absent, whatever x and y are.
        image_size: (width, height) of the upright picture in pixels.
        source: what made them, such as "mediapipe 0.10.14" or a file.
        shot: (T,) int64 never falling; where it rises, the picture cuts or another person begins, and nothing that was
            known before holds. All 0 if not given.
        warnings: sentences on what was lost or taken for granted when they were made.
    """

    names: tuple[str, ...]
    time_s: np.ndarray
    frame_index: np.ndarray
    points: np.ndarray
    image_size: tuple[int, int]
    source: str
    shot: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check shapes, order and values.

        Raises:
            PointlightError: something that a user's file can bring about.
        """
        object.__setattr__(self, "time_s", np.asarray(self.time_s, np.float64))
        object.__setattr__(self, "frame_index", np.asarray(self.frame_index, np.int64))
        object.__setattr__(self, "points", np.asarray(self.points, np.float32))
        shot = np.asarray(self.shot, np.int64)
        object.__setattr__(self, "shot", shot if len(shot) else np.zeros(len(self.time_s), np.int64))
        shape = (len(self.time_s), len(self.names), 3)
        if self.points.shape != shape or self.frame_index.shape != shape[:1] or self.time_s.ndim != 1:
            raise PointlightError(
                f"{self.source}: the keypoints have the shape {self.points.shape}, where {len(self.time_s)}"
                f" frames of {len(self.names)} keypoints (x, y, score) need {shape}"
            )
        if len(set(self.names)) != len(self.names):
            raise PointlightError(f"{self.source}: a keypoint is named twice among {', '.join(self.names)}")
        self._check_values()
        if self.shot.shape != shape[:1] or (np.diff(self.shot) < 0).any():
            raise PointlightError(
                f"{self.source}: give every frame the number of its shot, none lower than before"
            )
        if (np.diff(self.time_s) <= 0).any() or (np.diff(self.frame_index) <= 0).any():
            raise PointlightError(
                f"{self.source}: the times and frame numbers must increase from frame to frame"
            )

    def _check_values(self) -> None:
        broken = np.argwhere(~np.isfinite(self.points).all(-1))
        if len(broken):
            frame, point = broken[0]
            raise PointlightError(
                f"{self.source}: {self.names[point]} in frame {self.frame_index[frame]} is not a number;"
                " give an absent keypoint the score 0 and any place"
            )
        if not np.isfinite(self.time_s).all():
            raise PointlightError(f"{self.source}: a time is not a number; give the seconds of every frame")
        scores = self.points[..., 2]
        if scores.size and (scores.min() < 0 or scores.max() > 1):
            raise PointlightError(
                f"{self.source}: scores run from {scores.min():g} to {scores.max():g}; give 0 to 1"
            )

    def __len__(self) -> int:
        """Number of frames, T."""
        return len(self.time_s)

    def present(self) -> np.ndarray:
        """(T,) bool: frames in which any keypoint is there."""
        return np.asarray((self.points[..., 2] > 0).any(1))

    def shots(self) -> list[Keypoints2D]:
        """Each shot by itself, in order."""
        edges = np.flatnonzero(np.diff(self.shot)) + 1
        return [self._part(rows) for rows in np.split(np.arange(len(self)), edges)]

    def _part(self, rows: np.ndarray) -> Keypoints2D:
        if len(rows) == len(self):
            return self
        return replace(
            self,
            time_s=self.time_s[rows],
            frame_index=self.frame_index[rows],
            points=self.points[rows],
            shot=self.shot[rows],
        )

    def select(self, names: tuple[str, ...]) -> np.ndarray:
        """(T, len(names), 3) the named keypoints; those that the source does not have are absent (all 0)."""
        result = np.zeros((len(self), len(names), 3), np.float32)
        for position, name in enumerate(names):
            if name in self.names:
                result[:, position] = self.points[:, self.names.index(name)]
        return result
