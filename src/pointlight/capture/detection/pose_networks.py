"""What following needs of a detector, and how readings are compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.capture.detection.blazepose import LANDMARKS, Reading, Region

BODY = [i for i, name in enumerate(LANDMARKS) if name in NETWORK_KEYPOINTS]

_SAME = 0.07
"""Readings are of the same person if their keypoints lie this near in the median, in sizes."""


class PoseNetworks(Protocol):
    """What following needs of a detector."""

    def find(self, image: np.ndarray, window: Region | None = None) -> list[tuple[Region, float]]:
        """People and scores, the largest first."""
        ...

    def read(self, image: np.ndarray, region: Region) -> Reading | None:
        """Keypoints of the person in a region."""
        ...


class SharedNetworks:
    """Networks that answer a question about the same picture once, for followers who ask the same."""

    def __init__(self, networks: PoseNetworks) -> None:
        """Remember nothing yet; at any time, answers about one picture."""
        self._networks = networks
        self._image: np.ndarray | None = None
        self._found: dict[Region | None, list[tuple[Region, float]]] = {}
        self._read: dict[Region, Reading | None] = {}

    def find(self, image: np.ndarray, window: Region | None = None) -> list[tuple[Region, float]]:
        """As in `PoseNetworks`."""
        self._look_at(image)
        if window not in self._found:
            self._found[window] = self._networks.find(image, window)
        return list(self._found[window])

    def read(self, image: np.ndarray, region: Region) -> Reading | None:
        """As in `PoseNetworks`."""
        self._look_at(image)
        if region not in self._read:
            self._read[region] = self._networks.read(image, region)
        return self._read[region]

    def _look_at(self, image: np.ndarray) -> None:
        if image is not self._image:
            self._image, self._found, self._read = image, {}, {}


def coherent(reading: Reading, least_visibility: float) -> bool:
    """Whether at least the better half of a body is there."""
    visibility = np.sort(reading.points[BODY, 2])[len(BODY) // 2 :]
    return float(visibility.mean()) >= least_visibility


def distance(region: Region, other: Region) -> float:
    """Between middles, in sizes of `other`."""
    return float(np.hypot(region.x - other.x, region.y - other.y) / other.size)


def near(region: Region, other: Region) -> bool:
    """Whether both can be of one person, roughly."""
    return distance(region, other) < 0.5 and abs(np.log(region.size / other.size)) < 0.9


def apart(points: np.ndarray, other: np.ndarray, size: float) -> float:
    """Median distance of the body's 12 keypoints of two readings (21, 3), in sizes."""
    return float(np.median(np.linalg.norm(points[BODY, :2] - other[BODY, :2], axis=-1))) / size


def same_person(reading: Reading, other: Reading) -> bool:
    """Whether two readings of a picture show the same."""
    return apart(reading.points, other.points, max(reading.region.size, other.region.size)) < _SAME


def moved(region: Region, shift_px: np.ndarray) -> Region:
    """The region elsewhere."""
    return replace(region, x=region.x + float(shift_px[0]), y=region.y + float(shift_px[1]))


def snapped(region: Region) -> Region:
    """The region on a coarse grid, so that those who follow the same person ask the same."""
    size = float(2 ** (round(16 * np.log2(max(region.size, 2.0))) / 16))
    step = size / 48
    x, y = step * round(region.x / step), step * round(region.y / step)
    return Region(x, y, size, round(region.angle * 16) / 16)


def tiles(width: int, height: int, share: float) -> list[Region]:
    """Squares as high as the picture's short side along it, and smaller ones all over it; neighbours overlap by half."""
    short = min(width, height)
    result = []
    for side in (short, share * short):
        columns, rows = (
            np.linspace(side / 2, length - side / 2, max(1, int(np.ceil(2 * length / side)) - 1))
            for length in (width, height)
        )
        result += [Region(float(x), float(y), float(side), 0.0) for y in rows for x in columns]
    return result
