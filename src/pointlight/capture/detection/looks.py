"""How somebody looks: the colours of the trunk and of the legs, by which people are told apart who were close together."""

from __future__ import annotations

import numpy as np

from pointlight.capture.detection.blazepose import LANDMARKS, Reading

_PLACES = {name: place for place, name in enumerate(LANDMARKS)}
_TRUNK = [_PLACES[name] for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]
_LEGS = [_PLACES[f"{side}_{joint}"] for side in ("left", "right") for joint in ("hip", "knee", "ankle")]
_ACROSS, _ALONG = np.linspace(0.15, 0.85, 6), np.linspace(0.1, 0.85, 10)
_ON_LEG = np.linspace(0.15, 0.9, 10)
_BINS = 8
_RANGES = ((0.0, 255.0), (-96.0, 96.0), (-96.0, 96.0))
"""Of brightness, red against green, and both against blue."""
_LONGEST = 20
"""A look is the mean of about so many pictures."""


class Look:
    """The mean look of somebody over pictures; nothing is known at first."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._mean = np.zeros(0)
        self.count = 0

    @property
    def mean(self) -> np.ndarray | None:
        """As of `look_in`; None while nothing is known."""
        return self._mean if self.count else None

    def add(self, seen: np.ndarray | None) -> None:
        """Learn from the look in a picture in which the person is alone."""
        if seen is None:
            return
        self.count += 1
        if self.count == 1:
            self._mean = seen
        else:
            self._mean = self._mean + (seen - self._mean) / min(self.count, _LONGEST)

    def difference(self, other: np.ndarray | None) -> float:
        """From a picture's look: 0 the same, 1 nothing in common; 0 also if either is not known."""
        if other is None or not self.count:
            return 0.0
        # Hellinger's distance, part by part and colour by colour.
        alike = np.sqrt(self._mean * other).sum(-1)
        return float(np.sqrt(np.maximum(1 - alike, 0)).mean())


def look_in(image: np.ndarray, reading: Reading) -> np.ndarray | None:
    """(2, 3, 8) distributions of three opponent colours over the trunk and over the legs; None outside the picture."""
    points = reading.points[:, :2].astype(np.float64)
    left, right, left_hip, right_hip = points[_TRUNK]
    top = left + _ACROSS[:, None] * (right - left)
    bottom = left_hip + _ACROSS[:, None] * (right_hip - left_hip)
    trunk = (top[:, None] + _ALONG[:, None] * (bottom - top)[:, None]).reshape(-1, 2)
    hips, knees, ankles = (points[_LEGS[joint::3]] for joint in range(3))
    bones = [(hips, knees), (knees, ankles)]
    legs = np.concatenate(
        [(a[:, None] + _ON_LEG[:, None] * (b - a)[:, None]).reshape(-1, 2) for a, b in bones]
    )
    parts = [_colours(image, part) for part in (trunk, legs)]
    if any(part is None for part in parts):
        return None
    return np.stack([_distributions(part) for part in parts if part is not None])


def _colours(image: np.ndarray, places: np.ndarray) -> np.ndarray | None:
    height, width = image.shape[:2]
    column, row = np.floor(places).astype(np.int64).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    if inside.sum() < len(places) // 4:
        return None
    red, green, blue = image[row[inside], column[inside]].astype(np.float64).T
    return np.stack(((red + green + blue) / 3, red - green, (red + green) / 2 - blue))


def _distributions(colours: np.ndarray) -> np.ndarray:
    """(3, 8) shares of the bins; a colour between two middles counts for both."""
    result = np.zeros((3, _BINS))
    for number, (values, (low, high)) in enumerate(zip(colours, _RANGES, strict=True)):
        place = (np.clip(values, low, high) - low) / (high - low) * (_BINS - 1)
        first = np.minimum(place.astype(np.int64), _BINS - 2)
        share = place - first
        result[number] = np.bincount(first, 1 - share, _BINS) + np.bincount(first + 1, share, _BINS)
    return result / colours.shape[1]
