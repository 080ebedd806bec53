"""Everybody in a video: who is there beside the first person, and which of them are worth keeping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pointlight.capture.detection.blazepose import Reading, Region
from pointlight.capture.detection.following import Follower
from pointlight.capture.detection.looks import look_in
from pointlight.capture.detection.pose_networks import BODY, PoseNetworks, coherent, near, same_person, tiles
from pointlight.media import Frame

Readings = dict[int, Reading]
"""By frame number."""


@dataclass(frozen=True)
class EverybodyConfig:
    """Who is followed, and who is kept.

    Attributes:
        every_s: how often it is looked for people who are not followed yet.
        most: people who are followed at once.
        least_s: who is seen for less is nobody.
        like_score: who is seen less surely than the first person, by this share of the summed visibility, is nobody:
            posters and shadows.
        twin_share: who has the keypoints of another person in so large a share of the frames that both have is that person.
        twin_least: and in so large a share of all that this one has.
        twin_frames: and is not followed on after so many such frames in a row.
        tile: side of the smallest squares that people are looked for in, in short sides of the picture.
    """

    every_s: float = 0.5
    most: int = 12
    least_s: float = 0.5
    like_score: float = 0.5
    twin_share: float = 0.5
    twin_least: float = 0.4
    twin_frames: int = 10
    tile: float = 0.67


@dataclass
class Person:
    """Somebody in a shot: where this one was found, who follows, and what was read.

    Attributes:
        position: of the frame in which this one was found.
        first: what was read there.
        look: in that picture.
        follower: forward in time; None when this one turned out to be somebody who is followed already.
        readings: so far.
    """

    position: int
    first: Reading
    look: np.ndarray | None
    follower: Follower | None
    readings: Readings = field(default_factory=dict)
    _like_another: int = 0

    def step(self, follower: Follower, frame: Frame) -> None:
        """Take a step and forget what has turned out wrong."""
        reading, wrong = follower.step(frame)
        for index in wrong:
            self.readings.pop(index, None)
        if reading is not None:
            self.readings[frame.index] = reading

    def is_twin(self, others: Iterable[Person], frame: Frame, most: int) -> bool:
        """Whether this one has for long been where another is."""
        own = self.readings.get(frame.index)
        theirs = (other.readings.get(frame.index) for other in others)
        same = own is not None and any(one is not None and same_person(own, one) for one in theirs)
        self._like_another = self._like_another + 1 if same else 0
        return self._like_another >= most


class Shot:
    """Everybody in one shot, the first person first, while its frames come in."""

    def __init__(
        self,
        networks: PoseNetworks,
        start: int,
        begin: Callable[[Frame], Reading | None],
        follow: Callable[[Reading, float, np.ndarray | None], Follower],
        least_visibility: float,
        config: EverybodyConfig,
    ) -> None:
        """Begin with nobody.

        Args:
            networks: the detector.
            start: position of the shot's first frame.
            begin: finds the first person, who is followed whoever else is there.
            follow: makes a follower from a reading, its time and look.
            least_visibility: as in `FollowConfig`.
            config: who is followed.
        """
        self.start = start
        self.people: list[Person] = []
        self._networks = networks
        self._begin = begin
        self._follow = follow
        self._least_visibility = least_visibility
        self._config = config
        self._looked_s = -np.inf

    def step(self, frame: Frame, position: int) -> None:
        """Follow everybody into the next frame, and look for more."""
        if not self.people:
            first = self._begin(frame)
            if first is None:
                return
            self._add(first, frame, position)
        else:
            for number, person in enumerate(self.people):
                if person.follower is None:
                    continue
                person.step(person.follower, frame)
                if number and person.is_twin(self.people[:number], frame, self._config.twin_frames):
                    person.follower = None
        if frame.time_s - self._looked_s >= self._config.every_s:
            self._looked_s = frame.time_s
            self._look(frame, position)

    def backwards(self, time_s: Sequence[float], frames: Iterable[tuple[int, Frame]]) -> None:
        """Follow everybody from where each was found to the beginning.

        Args:
            time_s: of all positions.
            frames: with their positions, falling, from the one before the last person was found.
        """
        followers: dict[int, Follower] = {}
        for position, frame in frames:
            for number, person in enumerate(self.people):
                if position >= person.position:
                    continue
                if number not in followers:
                    followers[number] = self._follow(person.first, time_s[person.position], person.look)
                person.step(followers[number], frame)

    def _add(self, reading: Reading, frame: Frame, position: int) -> None:
        look = look_in(frame.image, reading)
        follower = self._follow(reading, frame.time_s, look)
        self.people.append(Person(position, reading, look, follower, {frame.index: reading}))

    def _look(self, frame: Frame, position: int) -> None:
        """Begin to follow whoever is there and not followed."""
        height, width = frame.image.shape[:2]
        for window in (None, *tiles(width, height, self._config.tile)):
            for region, _ in self._networks.find(frame.image, window):
                here = [one.readings[frame.index] for one in self.people if frame.index in one.readings]
                if sum(one.follower is not None for one in self.people) >= self._config.most:
                    return
                if any(near(region, one.region) and _close(region, one.region) for one in here):
                    continue
                reading = self._networks.read(frame.image, region)
                if reading is not None:
                    reading = self._networks.read(frame.image, reading.region) or reading
                if reading is None or not coherent(reading, self._least_visibility):
                    continue
                if not any(same_person(reading, one) for one in here):
                    self._add(reading, frame, position)


def _close(region: Region, other: Region) -> bool:
    return float(np.hypot(region.x - other.x, region.y - other.y)) < 0.12 * other.size


def kept_people(
    people: Sequence[Person], times_s: dict[int, float], config: EverybodyConfig
) -> list[Readings]:
    """Of a shot's people those who are somebody, the first first, then the most present (size times score, summed).

    Args:
        people: the first is kept in any case.
        times_s: of the shot's frames, by number.
        config: who is kept.
    """
    if not people:
        return []
    first, *others = (person.readings for person in people)
    step_s = float(np.median(np.diff(sorted(times_s.values())))) if len(times_s) > 1 else 0.0
    least = config.like_score * _score(first)
    seen = [one for one in others if len(one) * step_s >= config.least_s and _score(one) >= least]
    kept = [first]
    for one in sorted(seen, key=presence, reverse=True):
        if not any(_is_twin(one, other, config) for other in kept):
            kept.append(one)
    return kept


def _is_twin(one: Readings, other: Readings, config: EverybodyConfig) -> bool:
    """Whether two are the same in most of the frames that both have, if these are many."""
    common = one.keys() & other.keys()
    same = sum(same_person(one[index], other[index]) for index in common)
    return same > 0 and same >= config.twin_share * len(common) and same >= config.twin_least * len(one)


def presence(readings: Readings) -> float:
    """How large and how surely somebody is seen, summed over frames."""
    return sum(one.region.size * float(one.points[BODY, 2].mean()) for one in readings.values())


def _score(readings: Readings) -> float:
    return float(np.median([one.points[BODY, 2].sum() for one in readings.values()])) if readings else 0.0
