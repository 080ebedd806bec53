"""Following one person from picture to picture, forward or backward, and noticing losses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.capture.detection.blazepose import LANDMARKS, Reading, Region
from pointlight.media import Frame

_BODY = [i for i, name in enumerate(LANDMARKS) if name in NETWORK_KEYPOINTS]


class PoseNetworks(Protocol):
    """What following needs of a detector."""

    def find(self, image: np.ndarray, window: Region | None = None) -> list[tuple[Region, float]]:
        """People and scores, the largest first."""
        ...

    def read(self, image: np.ndarray, region: Region) -> Reading | None:
        """Keypoints of the person in a region."""
        ...


@dataclass(frozen=True)
class FollowConfig:
    """What is possible from one picture to the next. Sizes are of `Region`, about 1.2 heights of a person.

    Attributes:
        shift: move of the hips within no time, in sizes; the noise of regions.
        speed: additional move per second, in sizes.
        stretch: change of the logarithm of size within no time.
        stretch_speed: additional change per second.
        reach: the farthest move after any time, in sizes.
        least_visibility: mean visibility that the better half of the 12 body points must have.
        window: side of the square searched for a lost person, in sizes.
        check_every_s: how often it is checked that a person is where one is followed.
        checks: after so many failed checks in a row the person is held to be lost since the first of them.
        sure_visibility: no check fails where the mean visibility of the 12 body points is at least this; the
            network that reads keypoints sees people, against the light for instance, whom the other misses.
    """

    shift: float = 0.12
    speed: float = 3.0
    stretch: float = 0.25
    stretch_speed: float = 1.5
    reach: float = 1.5
    least_visibility: float = 0.5
    window: float = 1.6
    check_every_s: float = 0.5
    checks: int = 3
    sure_visibility: float = 0.65


class Follower:
    """One person's state while pictures come in, at growing or falling times."""

    def __init__(
        self,
        networks: PoseNetworks,
        first: Reading,
        time_s: float,
        config: FollowConfig,
        *,
        anywhere_after_s: float | None,
    ) -> None:
        """Begin with a reading of the person.

        Args:
            networks: the detector.
            first: the person's keypoints at `time_s`.
            time_s: when.
            config: what is possible.
            anywhere_after_s: a person who was lost for so long may reappear anywhere at a like size; None:
                never.
        """
        self._networks = networks
        self._config = config
        self._last = first
        self._last_s = time_s
        self._checked_s = time_s
        self._anywhere_after_s = anywhere_after_s
        self._failed: list[int] = []
        self._since_failure: list[int] = []

    def step(self, frame: Frame) -> tuple[Reading | None, list[int]]:
        """Find the person in the next picture.

        Returns:
            The reading, or None where the person is not to be seen; and the numbers of earlier frames whose
            readings have turned out to show something else.
        """
        gap_s = abs(frame.time_s - self._last_s)
        reading = self._networks.read(frame.image, self._last.region)
        if reading is None or not self._possible(reading, gap_s):
            reading = self._search(frame.image, gap_s)
        if reading is None:
            return None, []
        self._last, self._last_s = reading, frame.time_s
        self._since_failure.append(frame.index)
        if abs(frame.time_s - self._checked_s) >= self._config.check_every_s:
            return self._check(frame, reading)
        return reading, []

    def _check(self, frame: Frame, reading: Reading) -> tuple[Reading | None, list[int]]:
        """Ask the other network whether anybody is there at all."""
        self._checked_s = frame.time_s
        sure = float(reading.points[_BODY, 2].mean()) >= self._config.sure_visibility
        people = [] if sure else self._find_around(frame.image, reading.region)
        if sure or any(_near(person, reading.region) for person, _ in people):
            self._failed.clear()
            self._since_failure.clear()
            return reading, []
        if not self._failed:
            self._since_failure = [frame.index]
        self._failed.append(frame.index)
        if len(self._failed) < self._config.checks:
            return reading, []
        wrong = list(self._since_failure)
        self._failed.clear()
        self._since_failure.clear()
        return None, wrong

    def _search(self, image: np.ndarray, gap_s: float) -> Reading | None:
        """Look for the person around the last place."""
        people = self._find_around(image, self._last.region)
        people.sort(key=lambda pair: _distance(pair[0], self._last.region))
        for person, _ in people[:3]:
            reading = self._networks.read(image, person)
            if reading is not None and self._possible(reading, gap_s):
                return reading
        if self._anywhere_after_s is None or gap_s < self._anywhere_after_s:
            return None
        for person, _ in self._networks.find(image)[:1]:
            alike = abs(np.log(person.size / self._last.region.size)) < 0.5
            reading = self._networks.read(image, person) if alike else None
            if reading is not None and self._coherent(reading):
                return reading
        return None

    def _find_around(self, image: np.ndarray, region: Region) -> list[tuple[Region, float]]:
        return self._networks.find(image, replace(region, size=region.size * self._config.window))

    def _possible(self, reading: Reading, gap_s: float) -> bool:
        """Whether a reading can be the person followed, `gap_s` after the last one."""
        config = self._config
        moved = _distance(reading.region, self._last.region)
        stretched = abs(np.log(reading.region.size / self._last.region.size))
        return bool(
            moved <= min(config.shift + config.speed * gap_s, config.reach)
            and stretched <= min(config.stretch + config.stretch_speed * gap_s, 0.7)
            and self._coherent(reading)
        )

    def _coherent(self, reading: Reading) -> bool:
        """Whether at least the better half of a body is there."""
        visibility = np.sort(reading.points[_BODY, 2])[len(_BODY) // 2 :]
        return float(visibility.mean()) >= self._config.least_visibility


def _distance(region: Region, other: Region) -> float:
    """Between middles, in sizes of `other`."""
    return float(np.hypot(region.x - other.x, region.y - other.y) / other.size)


def _near(region: Region, other: Region) -> bool:
    return _distance(region, other) < 0.5 and abs(np.log(region.size / other.size)) < 0.9
